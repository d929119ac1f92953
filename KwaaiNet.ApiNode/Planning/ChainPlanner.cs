using System.Collections.Immutable;
using KwaaiNet.ApiNode.Models;
using KwaaiNet.Protocol.Blocks;
using KwaaiNet.Protocol.Nodes;
using KwaaiNet.Protocol.Trust;
using KwaaiNet.Protocol.Wire;

namespace KwaaiNet.ApiNode.Planning;

/// <summary>Finds the cheapest shard chain in a snapshot of node records. A pure function: the same records give the same chain.</summary>
internal static class ChainPlanner
{
    /// <summary>Plans a chain.</summary>
    /// <param name="records">Live, verified records, in any order.</param>
    /// <param name="request">What the chain must satisfy.</param>
    /// <param name="tierOf">How far a node is trusted.</param>
    public static ChainPlan Plan(IEnumerable<NodeRecord> records, ChainRequest request, Func<NodeRecord, TrustTier> tierOf)
    {
        ChatModel model = request.Model;
        List<Candidate> ready = [];
        List<BlockRange> loading = [];
        List<BlockRange> otherWeights = [];
        bool announced = false;
        foreach (NodeRecord record in records)
        {
            if (record.Role != NodeRole.Shard || record.Withdrawn || record.Endpoints.Count == 0
                || (request.Network is not null && record.Network != request.Network)
                || !record.ProtocolVersions.Contains(ProtocolVersions.Base))
            {
                continue;
            }

            foreach (ServedBlocks served in record.Serving)
            {
                if (served.Model != model.Id || served.BlockCount != model.BlockCount
                    || served.FirstBlock >= served.EndBlock || served.EndBlock > served.BlockCount)
                {
                    continue;
                }

                announced = true;
                BlockRange range = new((int)served.FirstBlock, (int)served.EndBlock);
                if (served.WeightsHash != model.WeightsHash)
                {
                    otherWeights.Add(range);
                }
                else if (served.State == ServingState.Ready)
                {
                    ready.Add(Candidate.From(record, served, tierOf(record), request));
                }
                else if (served.State == ServingState.Joining)
                {
                    loading.Add(range);
                }
            }
        }

        // The order decides between chains of equal cost and length; the directory's order means nothing.
        ready.Sort((a, b) => string.CompareOrdinal(a.NodeId, b.NodeId) is int byNode and not 0 ? byNode : a.Range.CompareTo(b.Range));
        Rotate(ready, request.Turn);
        List<Candidate> usable = [.. ready.Where(candidate => Usable(candidate, request))];
        List<Candidate> able = [.. usable.Select(candidate => WithoutLastIfOld(candidate, request)).OfType<Candidate>()];
        ShardChain? chain = HeldChain.Choose(ChainSearch.Cheapest(able, request, out bool isGivenUp), able, request);
        if (chain is not null)
        {
            return ChainPlan.Of(chain, [.. usable.Select(candidate => candidate.Range)]);
        }

        int last = model.BlockCount - 1;
        ChainRequest roomless = request with { Room = KvRoom.Any };
        return request.LastShardVersion > ProtocolVersions.Base
            && ChainSearch.Cheapest(able, roomless) is null && ChainSearch.Cheapest(usable, roomless) is not null
            ? ChainPlan.None(new NoChain(NoChainReason.SamplingNotSpoken, [new BlockRange(last, last + 1)], BestTier(ready, request), []))
            : ChainPlan.None(Explain(ready, loading, otherWeights, announced, isGivenUp, request));
    }

    /// <summary>The most KV positions a chain could ever give one session, whoever uses them now, up to those of the request; 0 when the blocks are not held.</summary>
    /// <param name="records">Live, verified records, in any order.</param>
    /// <param name="request">What the chain must satisfy.</param>
    /// <param name="tierOf">How far a node is trusted.</param>
    public static int MostPositions(IReadOnlyCollection<NodeRecord> records, ChainRequest request, Func<NodeRecord, TrustTier> tierOf)
    {
        int fits = 0;
        int most = request.Positions;
        while (fits < most)
        {
            int middle = fits + ((most - fits + 1) / 2);
            if (Plan(records, request with { Positions = middle, Room = KvRoom.Whole }, tierOf).Found)
            {
                fits = middle;
            }
            else
            {
                most = middle - 1;
            }
        }

        return fits;
    }

    private static void Rotate(List<Candidate> candidates, int turn)
    {
        if (candidates.Count > 0 && (int)((uint)turn % (uint)candidates.Count) is int by and > 0)
        {
            candidates.AddRange(candidates.GetRange(0, by));
            candidates.RemoveRange(0, by);
        }
    }

    // A node of an older version may run any block but the last one, where tokens are drawn.
    private static Candidate? WithoutLastIfOld(Candidate candidate, ChainRequest request)
    {
        BlockRange range = candidate.Range;
        return candidate.ProtocolVersion >= request.LastShardVersion || range.End < request.Model.BlockCount ? candidate
            : range.Count == 1 ? null
            : candidate with { Range = new BlockRange(range.First, range.End - 1) };
    }

    private static bool Usable(Candidate candidate, ChainRequest request) =>
        !candidate.IsAvoided && candidate.Tier >= request.MinimumTier && Reaches(candidate, request);

    private static bool Reaches(Candidate candidate, ChainRequest request) =>
        candidate.ContextLength == 0 || candidate.ContextLength >= request.Positions;

    // Relaxes one rule after another until the blocks are covered: the rule whose relaxing covers them is the reason.
    private static NoChain Explain(
        List<Candidate> ready, List<BlockRange> loading, List<BlockRange> otherWeights, bool announced, bool isGivenUp, ChainRequest request)
    {
        int blocks = request.Model.BlockCount;
        TrustTier best = BestTier(ready, request);
        ImmutableArray<BlockRange> missing = BlockCoverage.Missing(blocks, ready.Select(candidate => candidate.Range));
        if (!announced)
        {
            return new NoChain(NoChainReason.NotServed, [new BlockRange(0, blocks)], best, []);
        }

        if (missing.Length > 0)
        {
            bool elsewhere = BlockCoverage.Missing(blocks, ready.Select(candidate => candidate.Range).Concat(otherWeights)).Length == 0;
            return new NoChain(
                elsewhere ? NoChainReason.WeightsDiffer : NoChainReason.BlocksMissing,
                missing, best, [.. loading.Where(range => missing.Any(range.Overlaps))]);
        }

        if (best < request.MinimumTier)
        {
            return new NoChain(NoChainReason.TierTooLow, [], best, []);
        }

        List<Candidate> trusted = [.. ready.Where(candidate => candidate.Tier >= request.MinimumTier)];
        ImmutableArray<BlockRange> tooShort = BlockCoverage.Missing(
            blocks, trusted.Where(candidate => Reaches(candidate, request)).Select(candidate => candidate.Range));
        if (tooShort.Length > 0)
        {
            return new NoChain(NoChainReason.ContextTooShort, tooShort, best, []);
        }

        // Nodes that failed a moment ago count here: that they are back soon does not make the request fit them.
        List<Candidate> reaching = [.. trusted.Where(candidate => Reaches(candidate, request))];
        if (ChainSearch.Cheapest(reaching, request with { Room = KvRoom.Whole }, out bool isUnknown) is null && !isUnknown
            && ChainSearch.Cheapest(reaching, request with { Room = KvRoom.Any }) is not null)
        {
            return new NoChain(NoChainReason.KvTooSmall, [], best, []);
        }

        // Nodes that failed are what is missing also where the others could never hold the request: waiting for those to be free is in vain.
        ChainRequest whole = request with { Room = KvRoom.Whole };
        ImmutableArray<BlockRange> failed = BlockCoverage.Missing(
            blocks, ready.Where(candidate => Usable(candidate, whole) && ChainSearch.BlocksThatFit(candidate, whole) > 0).Select(candidate => candidate.Range));
        return failed.Length > 0 ? new NoChain(NoChainReason.NodesFailed, failed, best, [])
            : new NoChain(isGivenUp ? NoChainReason.SearchGivenUp : NoChainReason.KvExhausted, [], best, []);
    }

    private static TrustTier BestTier(List<Candidate> ready, ChainRequest request)
    {
        for (TrustTier tier = TrustTier.Trusted; tier > TrustTier.Unknown; tier--)
        {
            IEnumerable<BlockRange> ranges = ready.Where(candidate => candidate.Tier >= tier).Select(candidate => candidate.Range);
            if (BlockCoverage.Missing(request.Model.BlockCount, ranges).Length == 0)
            {
                return tier;
            }
        }

        return TrustTier.Unknown;
    }
}
