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
    /// <summary>Cases looked at before the search is given up. Far beyond what a real network needs; a hostile one must not hang the planner.</summary>
    public const int MaxCases = 256;

    /// <summary>The cheapest chain; null when there is none, or none was found.</summary>
    /// <param name="candidates">Usable nodes, sorted: earlier ones win ties.</param>
    /// <param name="request">Gives block count, positions and KV size.</param>
    public static ShardChain? Cheapest(IEnumerable<Candidate> candidates, ChainRequest request) => Cheapest(candidates, request, out _);

    /// <summary>The cheapest chain; null when there is none, or none was found.</summary>
    /// <param name="candidates">Usable nodes, sorted: earlier ones win ties.</param>
    /// <param name="request">Gives block count, positions and KV size.</param>
    /// <param name="isGivenUp">Whether there is none among the first <see cref="MaxCases"/> cases, and there are more.</param>
    public static ShardChain? Cheapest(IEnumerable<Candidate> candidates, ChainRequest request, out bool isGivenUp)
    {
        isGivenUp = false;
        PriorityQueue<(Case Case, Segment[] Path), (long Cost, int Hops, int Order)> open = new();
        int cases = 0;
        Enqueue(new Case([.. candidates], []));
        while (open.TryDequeue(out (Case Case, Segment[] Path) found, out _))
        {
            (Case current, Segment[] path) = found;
            if (FirstRepeat(path) is not (int early, int late))
            {
                return ShardChain.Of([.. path.Select(segment => (segment.Node, segment.Blocks))]);
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

        isGivenUp = cases > MaxCases;
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

                    long cost = best[start].Cost + node.TokenNanoseconds(end - start);
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

    /// <summary>How many blocks a node may run as far as its KV memory goes.</summary>
    public static int BlocksThatFit(Candidate node, ChainRequest request)
    {
        // A session that outgrew the whole memory could never end, whoever made room for it.
        long blocks = request.Room == KvRoom.Any || node.KvTotalBytes == 0 ? long.MaxValue
            : node.KvTotalBytes / (node.KvBytesPerBlockPosition * request.Positions);
        if (request.Room == KvRoom.Free)
        {
            blocks = Math.Min(blocks, node.KvFreeBytes / (node.KvBytesPerBlockPosition * request.ExpectedPositions));
        }

        return (int)Math.Min(blocks, int.MaxValue / 2);
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
