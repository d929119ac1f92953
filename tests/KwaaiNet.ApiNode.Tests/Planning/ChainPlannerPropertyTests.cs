using CsCheck;
using KwaaiNet.ApiNode.Planning;
using KwaaiNet.ApiNode.Tests.Fakes;
using KwaaiNet.Protocol.Blocks;
using KwaaiNet.Protocol.Trust;

namespace KwaaiNet.ApiNode.Tests.Planning;

public sealed class ChainPlannerPropertyTests
{
    private const int MaxBlocks = 6;

    private static readonly Gen<(int Blocks, (int Node, int First, int Count, int Nanoseconds, int Kv)[] Nodes)> s_networks =
        Gen.Select(
            Gen.Int[1, MaxBlocks],
            Gen.Select(Gen.Int[0, 3], Gen.Int[0, MaxBlocks - 1], Gen.Int[1, MaxBlocks], Gen.Int[1, 2_000_000], Gen.Int[0, 6])
                .Select((node, first, count, nanoseconds, kv) => (node, first, count, nanoseconds, kv)).Array[0, 5]);

    [Fact]
    public void The_chain_is_the_cheapest_exact_tiling_that_uses_every_node_once() => s_networks.Sample(
        network =>
        {
            Candidate[] candidates = Candidates(network.Blocks, network.Nodes);
            ChainRequest request = new() { Model = FakeCatalog.Model(blocks: network.Blocks, kvBytes: 1), Positions = 1 };

            ShardChain? chain = ChainSearch.Cheapest(candidates, request);

            (long Cost, int Hops)? best = BruteForce(candidates, network.Blocks, 0, []);
            if (best is null)
            {
                return chain is null;
            }

            return chain is not null
                && chain.CostNanoseconds == best.Value.Cost
                && chain.Hops.Length == best.Value.Hops
                && chain.Hops.Select(hop => hop.NodeId).Distinct().Count() == chain.Hops.Length
                && chain.Hops[0].Blocks.First == 0
                && chain.Hops[^1].Blocks.End == network.Blocks
                && chain.Hops.Zip(chain.Hops.Skip(1)).All(pair => pair.First.Blocks.End == pair.Second.Blocks.First)
                && chain.Hops.All(hop => candidates.Any(c => c.NodeId == hop.NodeId && c.Range.Contains(hop.Blocks) && hop.Blocks.Count <= c.KvFreeBytes));
        },
        iter: 20_000);

    [Fact]
    public void A_network_of_hundreds_of_nodes_is_planned_in_time()
    {
        ServedModelSize size = new(126, 400);
        Candidate[] candidates =
        [
            .. Enumerable.Range(0, size.Nodes).Select(i =>
                new Candidate($"n{i:000}", "https://n:1", new BlockRange(i % 120, Math.Min((i % 120) + 5 + (i % 30), 126)), 1000 + i, long.MaxValue / 4, 0, TrustTier.Unknown)),
        ];
        ShardChain? chain = ChainSearch.Cheapest(candidates, new ChainRequest { Model = FakeCatalog.Model(blocks: size.Blocks) });
        Assert.NotNull(chain);
    }

    private static Candidate[] Candidates(int blocks, (int Node, int First, int Count, int Nanoseconds, int Kv)[] nodes) =>
    [
        .. nodes.Where(node => node.First < blocks)
            .Select(node => new Candidate(
                $"n{node.Node}", "https://n:1", new BlockRange(node.First, Math.Min(node.First + node.Count, blocks)), node.Nanoseconds, node.Kv, 0, TrustTier.Unknown)),
    ];

    private static (long Cost, int Hops)? BruteForce(Candidate[] candidates, int blocks, int from, HashSet<string> used)
    {
        if (from == blocks)
        {
            return (0, 0);
        }

        (long Cost, int Hops)? best = null;
        foreach (Candidate candidate in candidates)
        {
            if (candidate.Range.First > from || used.Contains(candidate.NodeId))
            {
                continue;
            }

            for (int end = from + 1; end <= candidate.Range.End && end - from <= candidate.KvFreeBytes; end++)
            {
                if (BruteForce(candidates, blocks, end, [.. used, candidate.NodeId]) is (long cost, int hops))
                {
                    (long, int) whole = (cost + candidate.TokenNanoseconds(end - from), hops + 1);
                    best = best is null || whole.CompareTo(best.Value) < 0 ? whole : best;
                }
            }
        }

        return best;
    }

    private readonly record struct ServedModelSize(int Blocks, int Nodes);
}
