using KwaaiNet.Protocol.Blocks;

namespace KwaaiNet.ApiNode.Planning;

/// <summary>Whether a request goes where the beginning of its prompt is held: when that answers sooner, rows saved and load counted.</summary>
internal static class HeldChain
{
    /// <summary>The sooner of two chains: the cheapest a token, and the one that need not compute all of the prompt.</summary>
    /// <param name="cheapest">The cheapest chain; null when none was found.</param>
    /// <param name="able">Nodes that may be used.</param>
    /// <param name="request">What is asked for, and which chain holds how much of it.</param>
    public static ShardChain? Choose(ShardChain? cheapest, IReadOnlyCollection<Candidate> able, ChainRequest request)
    {
        if (request.Held is not { } held || Find(held, able, request) is not { } holder)
        {
            return cheapest;
        }

        return cheapest is null || Time(holder, request, held.Positions) <= Time(cheapest, request, 0) ? holder : cheapest;
    }

    private static ShardChain? Find(HeldPrefix held, IReadOnlyCollection<Candidate> able, ChainRequest request)
    {
        List<(Candidate Node, BlockRange Blocks)> parts = [];
        foreach (ChainHop hop in held.Hops)
        {
            // A process that has started again since has nothing any more.
            Candidate? node = able.FirstOrDefault(candidate =>
                candidate.NodeId == hop.NodeId && candidate.StartedUnixMs == hop.StartedUnixMs && candidate.Range.Contains(hop.Blocks)
                && ChainSearch.BlocksThatFit(candidate, request) >= hop.Blocks.Count);
            if (node is null)
            {
                return null;
            }

            parts.Add((node, hop.Blocks));
        }

        return ShardChain.Of(parts);
    }

    private static double Time(ShardChain chain, ChainRequest request, int held) =>
        ((double)chain.PrefillNanoseconds * (request.PromptTokens - held)) + ((double)chain.CostNanoseconds * (request.ExpectedPositions - request.PromptTokens));
}
