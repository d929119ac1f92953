using KwaaiNet.Protocol.Blocks;

namespace KwaaiNet.ShardNode.Placement;

/// <summary>Which blocks a shard serves that was not told. Pure: the same view gives the same choice.</summary>
internal static class PlacementChoice
{
    /// <summary>Chooses blocks: the first part (or the longest gap) nobody holds or claims; when nothing is missing, those held by the fewest.</summary>
    public static PlacementDecision Choose(PlacementRules rules, IReadOnlyCollection<Holding> others)
    {
        int[] holders = CountHolders(rules.BlockCount, others);
        BlockRange[] parts = Parts(rules);

        // Without a number of shards to expect the whole model is one part, and its longest gap comes first; with one, parts come in order.
        List<BlockRange> gaps = [.. parts.SelectMany(part => Gaps(holders, part))];
        if (gaps.Count > 0)
        {
            BlockRange gap = rules.ExpectedShards is null ? gaps.MaxBy(candidate => candidate.Count) : gaps[0];
            return new PlacementDecision(Cut(gap, rules.MaxBlocks), IsRedundant: false);
        }

        BlockRange scarcest = parts
            .SelectMany(part => Windows(part, rules.MaxBlocks))
            .MinBy(window => (Min(holders, window), Mean(holders, window)));
        return new PlacementDecision(scarcest, IsRedundant: true);
    }

    /// <summary>Whether some block is held or claimed by nobody.</summary>
    public static bool HasGap(PlacementRules rules, IReadOnlyCollection<Holding> everyone) =>
        Array.IndexOf(CountHolders(rules.BlockCount, everyone), 0) >= 0;

    private static BlockRange[] Parts(PlacementRules rules) =>
        BlockRange.Split(rules.BlockCount, Math.Min(rules.ExpectedShards ?? 1, rules.BlockCount));

    private static int[] CountHolders(int blockCount, IReadOnlyCollection<Holding> holdings)
    {
        int[] holders = new int[blockCount];
        foreach (Holding holding in holdings)
        {
            for (int block = holding.Range.First; block < Math.Min(holding.Range.End, blockCount); block++) holders[block]++;
        }

        return holders;
    }

    private static IEnumerable<BlockRange> Gaps(int[] holders, BlockRange part)
    {
        int first = -1;
        for (int block = part.First; block <= part.End; block++)
        {
            bool missing = block < part.End && holders[block] == 0;
            if (missing && first < 0) first = block;
            if (missing || first < 0) continue;

            yield return new BlockRange(first, block);
            first = -1;
        }
    }

    private static BlockRange Cut(BlockRange range, int? most) =>
        most is { } bound && bound < range.Count ? new BlockRange(range.First, range.First + bound) : range;

    private static IEnumerable<BlockRange> Windows(BlockRange part, int? most)
    {
        int size = Math.Min(most ?? part.Count, part.Count);
        for (int first = part.First; first + size <= part.End; first++) yield return new BlockRange(first, first + size);
    }

    private static int Min(int[] holders, BlockRange range) => holders.AsSpan(range.First, range.Count).ToArray().Min();

    private static double Mean(int[] holders, BlockRange range) => holders.AsSpan(range.First, range.Count).ToArray().Average();
}
