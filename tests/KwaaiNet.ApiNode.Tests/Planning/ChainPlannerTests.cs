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
        ChainRequest request = Request() with { Positions = 100 };
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
