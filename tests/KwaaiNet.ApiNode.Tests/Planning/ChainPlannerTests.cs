using KwaaiNet.ApiNode.Planning;
using KwaaiNet.ApiNode.Tests.Fakes;
using KwaaiNet.Protocol.Trust;
using KwaaiNet.Protocol.Wire;

namespace KwaaiNet.ApiNode.Tests.Planning;

public sealed class ChainPlannerTests
{
    private readonly FakeNetwork _network = new();

    [Fact]
    public void Three_ranges_make_one_chain_in_order()
    {
        Assert.Equal("b[0-1] → c[2-3] → a[4-5]", Plan(Node("a", "4-5"), Node("b", "0-1"), Node("c", "2-3")).Chain?.ToString());
    }

    [Fact]
    public void A_node_may_run_a_part_of_what_it_holds()
    {
        Assert.Equal("a[0-3] → b[4-5]", Plan(Node("a", "0-3", rate: 10_000), Node("b", "2-5", rate: 10)).Chain?.ToString());
    }

    [Fact]
    public void Fewer_hops_win_over_slightly_faster_nodes()
    {
        Assert.Equal("c[0-5]", Plan(Node("a", "0-2", rate: 900), Node("b", "3-5", rate: 900), Node("c", "0-5", rate: 400)).Chain?.ToString());
    }

    [Fact]
    public void A_busy_node_is_passed_over_for_an_idle_one()
    {
        NodeRecord busy = Node("a", "0-5");
        busy.Serving[0].Sessions = 8;
        Assert.Equal("b[0-5]", Plan(busy, Node("b", "0-5")).Chain?.ToString());
    }

    [Fact]
    public void The_order_of_records_does_not_matter()
    {
        NodeRecord[] records = [Node("a", "0-2"), Node("b", "0-2"), Node("c", "3-5"), Node("d", "3-5")];
        Assert.Equal("a[0-2] → c[3-5]", Plan(records).Chain?.ToString());
        Assert.Equal("a[0-2] → c[3-5]", Plan([.. records.Reverse()]).Chain?.ToString());
    }

    [Fact]
    public void A_node_is_used_once_even_where_coming_back_to_it_is_cheaper()
    {
        ShardChain? chain = Plan(Node("slow", "0-5", rate: 1), Node("fast", "2-3", rate: 100_000)).Chain;
        Assert.Equal("slow[0-5]", chain?.ToString());
    }

    [Fact]
    public void Missing_blocks_are_named_with_those_being_loaded()
    {
        NodeRecord loading = Node("c", "2-5");
        loading.Serving[0].State = ServingState.Joining;
        NoChain? why = Plan(Node("a", "0-1"), Node("b", "4-4"), loading).NoChain;
        Assert.Equal(NoChainReason.BlocksMissing, why?.Reason);
        Assert.Equal("2-3, 5-5 / 2-5", $"{string.Join(", ", why!.Missing)} / {string.Join(", ", why.Loading)}");
    }

    [Fact]
    public void Nobody_at_all_is_not_served() => Assert.Equal(NoChainReason.NotServed, Plan().NoChain?.Reason);

    [Fact]
    public void Another_weights_file_is_told_from_missing_blocks()
    {
        NodeRecord other = Node("b", "3-5");
        other.Serving[0].WeightsHash = new string('b', 64);
        Assert.Equal(NoChainReason.WeightsDiffer, Plan(Node("a", "0-2"), other).NoChain?.Reason);
    }

    [Fact]
    public void Another_protocol_another_network_a_tombstone_or_draining_is_no_shard()
    {
        NodeRecord old = Node("a", "0-5");
        old.ProtocolVersions.Clear();
        NodeRecord stranger = Node("b", "0-5");
        stranger.Network = "elsewhere";
        NodeRecord left = Node("c", "0-5");
        left.Withdrawn = true;
        NodeRecord draining = Node("d", "0-5");
        draining.Serving[0].State = ServingState.Draining;
        Assert.Equal(NoChainReason.BlocksMissing, Plan(old, stranger, left, draining).NoChain?.Reason);
    }

    [Fact]
    public void The_best_tier_is_told_when_it_is_too_low()
    {
        ChainPlan plan = ChainPlanner.Plan(
            [Node("a", "0-2"), Node("b", "3-5")],
            Request() with { MinimumTier = TrustTier.Trusted },
            record => record.NodeId == "a" ? TrustTier.Verified : TrustTier.Known);
        Assert.Equal((NoChainReason.TierTooLow, TrustTier.Known), (plan.NoChain!.Reason, plan.NoChain.BestTier));
    }

    [Fact]
    public void A_chains_tier_is_its_weakest_nodes()
    {
        ChainPlan plan = ChainPlanner.Plan(
            [Node("a", "0-2"), Node("b", "3-5")], Request(), record => record.NodeId == "a" ? TrustTier.Verified : TrustTier.Known);
        Assert.Equal(TrustTier.Known, plan.Chain?.Tier);
    }

    [Fact]
    public void A_full_node_is_given_fewer_blocks_and_none_when_it_has_no_room()
    {
        NodeRecord full = Node("a", "0-5", rate: 100_000);
        full.Serving[0].KvFreeBytes = 250 * _network.KvBytesPerBlockPosition;
        ChainRequest request = Request() with { Positions = 100, ExpectedPositions = 100 };
        Assert.Equal("b[0-3] → a[4-5]", ChainPlanner.Plan([full, Node("b", "0-3")], request, _ => TrustTier.Unknown).Chain?.ToString());
        Assert.Equal(NoChainReason.KvExhausted, ChainPlanner.Plan([full], request, _ => TrustTier.Unknown).NoChain?.Reason);
    }

    [Fact]
    public void A_failed_node_is_avoided_and_named_when_nobody_else_holds_its_blocks()
    {
        ChainRequest request = Request() with { Avoid = AvoidedNodes.None.With("a", 0) };
        Assert.Equal("b[0-5]", ChainPlanner.Plan([Node("a", "0-5"), Node("b", "0-5")], request, _ => TrustTier.Unknown).Chain?.ToString());
        Assert.Equal(NoChainReason.NodesFailed, ChainPlanner.Plan([Node("a", "0-5")], request, _ => TrustTier.Unknown).NoChain?.Reason);
    }

    [Fact]
    public void A_context_shorter_than_the_session_is_told()
    {
        NodeRecord brief = Node("a", "0-5");
        brief.Serving[0].ContextLength = 64;
        Assert.Equal(NoChainReason.ContextTooShort, ChainPlanner.Plan([brief], Request() with { Positions = 65 }, _ => TrustTier.Unknown).NoChain?.Reason);
    }

    [Fact]
    public void A_node_of_an_older_protocol_runs_any_block_but_the_last_one_of_a_chain_that_draws_in_newer_ways()
    {
        NodeRecord old = Node("a", "0-5", rate: 100_000);
        old.ProtocolVersions.Clear();
        old.ProtocolVersions.Add(1);
        NodeRecord oldLast = Node("c", "5-5");
        oldLast.ProtocolVersions.Remove(2);
        ChainRequest plain = Request();
        ChainRequest request = Request() with { LastShardVersion = 2 };

        Assert.Equal("a[0-5]", ChainPlanner.Plan([old, Node("b", "4-5")], plain, _ => TrustTier.Unknown).Chain?.ToString());
        Assert.Equal("a[0-4] → b[5-5]", ChainPlanner.Plan([old, oldLast, Node("b", "4-5", rate: 10)], request, _ => TrustTier.Unknown).Chain?.ToString());
        Assert.Equal(NoChainReason.SamplingNotSpoken, ChainPlanner.Plan([old, oldLast], request, _ => TrustTier.Unknown).NoChain?.Reason);
        Assert.Equal(NoChainReason.BlocksMissing, ChainPlanner.Plan([oldLast], request, _ => TrustTier.Unknown).NoChain?.Reason);
    }

    [Fact]
    public void Equal_chains_take_turns()
    {
        NodeRecord[] records = [Node("a", "0-5"), Node("b", "0-5"), Node("c", "0-5")];
        PlanTurns turns = new(5);
        string?[] chosen = [.. Enumerable.Range(0, 6).Select(_ => ChainPlanner.Plan(records, Request() with { Turn = turns.Next() }, _ => TrustTier.Unknown).Chain?.ToString())];
        Assert.Equal(["c[0-5]", "a[0-5]", "b[0-5]", "c[0-5]", "a[0-5]", "b[0-5]"], chosen);
    }

    [Fact]
    public void Own_sessions_count_before_a_record_says_so_and_not_twice_when_it_does()
    {
        NodeRecord a = Node("a", "0-5");
        NodeRecord b = Node("b", "0-5");
        OwnSessions own = new();
        List<ShardChain> open = [];
        for (int i = 0; i < 6; i++)
        {
            open.Add(ChainPlanner.Plan([a, b], Request() with { OpenedSince = own.Since }, _ => TrustTier.Unknown).Chain!);
            own.Begin(open[^1]);
        }

        Assert.Equal([3, 3], open.GroupBy(chain => chain.ToString()).Select(group => group.Count()));

        // The next records count what is open; then two end of which they do not know yet.
        foreach (NodeRecord record in (NodeRecord[])[a, b])
        {
            record.Sequence = 7;
            record.Serving[0].Sessions = 3;
            Assert.Equal(0, own.Since(record));
        }

        own.End(open.First(chain => chain.Hops[0].NodeId == "b"));
        Assert.Equal((0, -1), (own.Since(a), own.Since(b)));
        Assert.Equal("b[0-5]", ChainPlanner.Plan([a, b], Request() with { OpenedSince = own.Since }, _ => TrustTier.Unknown).Chain?.ToString());
    }

    [Theory]
    // A row costs an idle twin 0.25 ms and a token 1.5 ms: what 1,000 rows save is worth waiting 2.5 ms longer for each of 100 tokens.
    [InlineData(1_000, 0, "b[0-5]")]
    [InlineData(1_000, 3, "b[0-5]")]
    [InlineData(1_000, 10, "a[0-5]")]
    [InlineData(64, 1, "a[0-5]")]
    [InlineData(64, 0, "b[0-5]")]
    public void A_chain_that_holds_the_beginning_is_worth_the_rows_it_saves(int held, uint sessions, string expected)
    {
        NodeRecord holder = Node("b", "0-5");
        holder.Serving[0].Sessions = sessions;
        ChainRequest request = Request() with { PromptTokens = 1_100, Positions = 1_200, ExpectedPositions = 1_200, Held = Held(held, "b"), Model = FakeCatalog.Model(context: 4_096) };
        Assert.Equal(expected, ChainPlanner.Plan([Node("a", "0-5"), holder], request, _ => TrustTier.Unknown).Chain?.ToString());
    }

    [Theory]
    [InlineData("started again")]
    [InlineData("avoided")]
    [InlineData("gone")]
    [InlineData("full")]
    [InlineData("holds less")]
    public void A_chain_that_cannot_be_used_any_more_holds_nothing(string what)
    {
        NodeRecord holder = Node("b", "0-5");
        ChainRequest request = Request() with { PromptTokens = 100, Positions = 120, ExpectedPositions = 120, Held = Held(64, "b") };
        if (what == "started again") holder.StartedUnixMs = 9;
        if (what == "avoided") request = request with { Avoid = AvoidedNodes.None.With("b", 0) };
        if (what == "full") holder.Serving[0].KvFreeBytes = 1;
        if (what == "holds less") holder.Serving[0].EndBlock = 5;
        NodeRecord[] records = what == "gone" ? [Node("a", "0-5")] : [Node("a", "0-5"), holder];
        Assert.Equal("a[0-5]", ChainPlanner.Plan(records, request, _ => TrustTier.Unknown).Chain?.ToString());
    }

    [Fact]
    public void A_search_that_is_given_up_says_so_and_does_not_call_nodes_full()
    {
        // Twelve blocks, eleven nodes that may run any one of them: no chain, and more ways to fail than are tried.
        FakeNetwork network = new() { Blocks = 12 };
        NodeRecord[] records = [.. Enumerable.Range(0, 11).Select(i =>
        {
            NodeRecord record = network.Record($"n{i:00}", new Protocol.Blocks.BlockRange(0, 12));
            record.Serving[0].KvFreeBytes = record.Serving[0].KvTotalBytes = network.KvBytesPerBlockPosition;
            return record;
        })];
        NoChain? why = ChainPlanner.Plan(records, new ChainRequest { Model = FakeCatalog.Model(blocks: 12) }, _ => TrustTier.Unknown).NoChain;
        Assert.Equal(NoChainReason.SearchGivenUp, why?.Reason);
    }

    private static HeldPrefix Held(int positions, string nodeId) => new([new ChainHop(nodeId, $"https://{nodeId}:1", new(0, 6))], positions);

    private static ChainRequest Request() => new() { Model = FakeCatalog.Model(), Network = "local" };

    private static ChainPlan Plan(params NodeRecord[] records) => ChainPlanner.Plan(records, Request(), _ => TrustTier.Unknown);

    private NodeRecord Node(string id, string range, double rate = 1000)
    {
        Assert.True(Protocol.Blocks.BlockRange.TryParse(range, out Protocol.Blocks.BlockRange blocks));
        NodeRecord record = _network.Record(id, blocks);
        record.Serving[0].DecodeTokensPerSecond = rate;
        return record;
    }
}
