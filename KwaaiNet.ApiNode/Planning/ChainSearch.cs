using System.Collections.Immutable;
using KwaaiNet.Protocol.Blocks;

namespace KwaaiNet.ApiNode.Planning;

/// <summary>The cheapest exact tiling of a model's blocks by nodes, each used at most once.</summary>
/// <remarks>
/// Without "at most once" this is a shortest path over block boundaries: <c>best[e] = min over segments [a, e) of best[a] + cost</c>.
/// The shortest path may come back to a node, which would need two sessions of one id there. Then one of three things holds
/// of the wanted chain: the node runs nothing from its second segment on, or nothing up to the end of its first, or all that lies
/// between the two. Solving each case and keeping the cheapest is exact; the relaxed path bounds what a case can yield, so few are opened.
/// </remarks>
internal static class ChainSearch
{
    /// <summary>Time a hop adds whatever it runs: framing, network, scheduling.</summary>
    public const long HopNanoseconds = 500_000;

    // Far beyond what a real network needs; a hostile one must not hang the planner.
    private const int MaxCases = 256;

    /// <summary>The cheapest chain; null when there is none.</summary>
    /// <param name="candidates">Usable nodes, sorted: earlier ones win ties.</param>
    /// <param name="request">Gives block count, positions and KV size.</param>
    public static ShardChain? Cheapest(IEnumerable<Candidate> candidates, ChainRequest request)
    {
        PriorityQueue<(Case Case, Segment[] Path), (long Cost, int Hops, int Order)> open = new();
        int cases = 0;
        Enqueue(new Case([.. candidates], []));
        while (open.TryDequeue(out (Case Case, Segment[] Path) found, out (long Cost, int Hops, int Order) bound))
        {
            (Case current, Segment[] path) = found;
            if (FirstRepeat(path) is not (int early, int late))
            {
                return new ShardChain(
                    [.. path.Select(segment => new ChainHop(segment.Node.NodeId, segment.Node.Endpoint, segment.Blocks) { StartedUnixMs = segment.Node.StartedUnixMs })],
                    bound.Cost,
                    path.Min(segment => segment.Node.Tier));
            }

            string node = path[early].Node.NodeId;
            int gapFirst = path[early].Blocks.End;
            int gapEnd = path[late].Blocks.First;
            Enqueue(current with { Candidates = Cut(current.Candidates, node, 0, gapEnd) });
            Enqueue(current with { Candidates = Cut(current.Candidates, node, gapFirst, int.MaxValue) });
            // Touching segments have no gap to run, only a boundary not to cut at.
            Enqueue(gapFirst == gapEnd
                ? current with { Uncut = current.Uncut.Add(gapFirst) }
                : current with { Candidates = OnlyOver(current.Candidates, node, new BlockRange(gapFirst, gapEnd)) });
        }

        return null;

        void Enqueue(Case restricted)
        {
            if (cases++ < MaxCases && ShortestPath(restricted, request) is (Segment[] path, long cost))
            {
                open.Enqueue((restricted, path), (cost, path.Length, cases));
            }
        }
    }

    private static (Segment[] Path, long Cost)? ShortestPath(Case restricted, ChainRequest request)
    {
        int blocks = request.Model.BlockCount;
        (long Cost, int Hops, int From, Candidate? Node)[] best = new (long, int, int, Candidate?)[blocks + 1];
        Array.Fill(best, (long.MaxValue, int.MaxValue, -1, null));
        best[0] = (0, 0, -1, null);
        for (int end = 1; end <= blocks; end++)
        {
            foreach (Candidate node in restricted.Candidates)
            {
                if (node.Range.First >= end || node.Range.End < end)
                {
                    continue;
                }

                int first = Math.Max(node.Range.First, end - BlocksThatFit(node, request));
                for (int start = first; start < end; start++)
                {
                    if (best[start].Cost == long.MaxValue || restricted.Uncut.Contains(start))
                    {
                        continue;
                    }

                    long cost = best[start].Cost + HopNanoseconds + (node.BlockNanoseconds * (end - start));
                    int hops = best[start].Hops + 1;
                    if (cost < best[end].Cost || (cost == best[end].Cost && hops < best[end].Hops))
                    {
                        best[end] = (cost, hops, start, node);
                    }
                }
            }
        }

        if (best[blocks].Cost == long.MaxValue)
        {
            return null;
        }

        Stack<Segment> path = new();
        for (int end = blocks; end > 0; end = best[end].From)
        {
            path.Push(new Segment(best[end].Node!, new BlockRange(best[end].From, end)));
        }

        return ([.. path], best[blocks].Cost);
    }

    private static int BlocksThatFit(Candidate node, ChainRequest request)
    {
        long whole = node.KvTotalBytes > 0 ? node.KvTotalBytes : long.MaxValue;
        long room = request.Room switch
        {
            KvRoom.Free => Math.Min(node.KvFreeBytes, whole),
            KvRoom.Whole => whole,
            _ => long.MaxValue,
        };
        long blockBytes = node.KvBytesPerBlockPosition * request.Positions;
        return blockBytes <= 0 ? int.MaxValue / 2 : (int)Math.Min(room / blockBytes, int.MaxValue / 2);
    }

    private static (int Early, int Late)? FirstRepeat(Segment[] path)
    {
        Dictionary<string, int> seen = new(StringComparer.Ordinal);
        for (int i = 0; i < path.Length; i++)
        {
            if (!seen.TryAdd(path[i].Node.NodeId, i))
            {
                return (seen[path[i].Node.NodeId], i);
            }
        }

        return null;
    }

    // The node may only run blocks in [first, end).
    private static List<Candidate> Cut(List<Candidate> candidates, string nodeId, int first, int end)
    {
        List<Candidate> cut = new(candidates.Count);
        foreach (Candidate candidate in candidates)
        {
            if (candidate.NodeId != nodeId)
            {
                cut.Add(candidate);
            }
            else if (Math.Max(candidate.Range.First, first) is int from && Math.Min(candidate.Range.End, end) is int to && from < to)
            {
                cut.Add(candidate with { Range = new BlockRange(from, to) });
            }
        }

        return cut;
    }

    // Only the node may run the blocks of the gap: the others keep what they hold on either side of it.
    private static List<Candidate> OnlyOver(List<Candidate> candidates, string nodeId, BlockRange gap)
    {
        List<Candidate> only = new(candidates.Count + 1);
        foreach (Candidate candidate in candidates)
        {
            if (candidate.NodeId == nodeId || !candidate.Range.Overlaps(gap))
            {
                only.Add(candidate);
                continue;
            }

            if (candidate.Range.First < gap.First)
            {
                only.Add(candidate with { Range = new BlockRange(candidate.Range.First, gap.First) });
            }

            if (gap.End < candidate.Range.End)
            {
                only.Add(candidate with { Range = new BlockRange(gap.End, candidate.Range.End) });
            }
        }

        return only;
    }

    // A part of the problem: what the nodes may run, and the boundaries at which no chain is cut.
    private sealed record Case(List<Candidate> Candidates, ImmutableHashSet<int> Uncut);

    private readonly record struct Segment(Candidate Node, BlockRange Blocks);
}
