using KwaaiNet.Protocol.Blocks;

namespace KwaaiNet.ShardNode.Placement;

/// <summary>Which blocks a shard serves that was not told. Pure: the same view gives the same choice.</summary>
internal static class PlacementChoice
{
    /// <summary>
    /// Chooses blocks: the first part (or the longest gap) nobody holds or claims, or as much of it as the device has room for; when
    /// nothing is missing that fits, those held by the fewest.
    /// </summary>
    /// <exception cref="InsufficientMemoryException">The device has room for no block at all.</exception>
    public static PlacementDecision Choose(PlacementRules rules, IReadOnlyCollection<Holding> others)
    {
        int[] holders = CountHolders(rules.BlockCount, others);
        BlockRange[] parts = Parts(rules);

        // Without a number of shards to expect the whole model is one part, and its longest gap comes first; with one, parts come in order.
        IEnumerable<BlockRange> gaps = parts.SelectMany(part => Gaps(holders, part));
        if (rules.ExpectedShards is null) gaps = gaps.OrderByDescending(gap => gap.Count);
        foreach (BlockRange gap in gaps)
        {
            if (Cut(gap, rules) is { } taken) return new PlacementDecision(taken, IsRedundant: false);
        }

        List<BlockRange> windows = [.. parts.SelectMany(part => Windows(part, rules))];
        return windows.Count > 0
            ? new PlacementDecision(windows.MinBy(window => Crowd(holders, window)), IsRedundant: true)
            : throw new InsufficientMemoryException("The device has room for no block of the model.");
    }

    /// <summary>Whether some block is held or claimed by nobody.</summary>
    public static bool HasGap(PlacementRules rules, IReadOnlyCollection<Holding> everyone) =>
        Array.IndexOf(CountHolders(rules.BlockCount, everyone), 0) >= 0;

    /// <summary>Whether other blocks that could be chosen are held by fewer than these.</summary>
    public static bool HasLonelier(PlacementRules rules, BlockRange range, IReadOnlyCollection<Holding> others)
    {
        int[] holders = CountHolders(rules.BlockCount, others);
        (int, double) own = Crowd(holders, range);
        return Parts(rules).SelectMany(part => Windows(part, rules)).Any(window => Crowd(holders, window).CompareTo(own) < 0);
    }

    private static BlockRange[] Parts(PlacementRules rules) =>
        BlockRange.Split(rules.BlockCount, Math.Min(rules.ExpectedShards ?? 1, rules.BlockCount));

    private static int[] CountHolders(int blockCount, IReadOnlyCollection<Holding> holdings) =>
        BlockCoverage.Holders(blockCount, holdings.Select(holding => holding.Range));

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

    // From its first block on; where that alone finds no room (block 0 brings the embedding with it), from a later one.
    private static BlockRange? Cut(BlockRange range, PlacementRules rules)
    {
        for (int first = range.First; first < range.End; first++)
        {
            if (Longest(first, range.End, rules) is { } fitting) return fitting;
        }

        return null;
    }

    private static BlockRange? Longest(int first, int end, PlacementRules rules)
    {
        int most = Math.Min(rules.MaxBlocks ?? int.MaxValue, end - first);
        if (Fits(most)) return new BlockRange(first, first + most);

        // More blocks never take less: halved between a number that fits and one that does not.
        int fitting = 0;
        while (most - fitting > 1)
        {
            int middle = (fitting + most) / 2;
            if (Fits(middle)) fitting = middle;
            else most = middle;
        }

        return fitting > 0 ? new BlockRange(first, first + fitting) : null;

        bool Fits(int count) => rules.Fits?.Invoke(new BlockRange(first, first + count)) != false;
    }

    // As many blocks as may be and fit, from every block on; not what is only the end of another window.
    private static IEnumerable<BlockRange> Windows(BlockRange part, PlacementRules rules)
    {
        int reached = part.First;
        for (int first = part.First; first < part.End; first++)
        {
            if (Longest(first, part.End, rules) is not { } window || window.End <= reached) continue;

            reached = window.End;
            yield return window;
        }
    }

    // The fewest holders a block of the range has; of ranges alike in that, the fewest on average.
    private static (int Fewest, double Mean) Crowd(int[] holders, BlockRange range)
    {
        int[] here = holders[range.First..range.End];
        return (here.Min(), here.Average());
    }
}
