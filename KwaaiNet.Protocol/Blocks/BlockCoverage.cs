using System.Collections.Immutable;

namespace KwaaiNet.Protocol.Blocks;

/// <summary>How often a set of ranges covers each block.</summary>
public static class BlockCoverage
{
    /// <summary>By block: how many of <paramref name="ranges"/> hold it. Blocks beyond the model's do not count.</summary>
    /// <param name="blockCount">Blocks of the model.</param>
    /// <param name="ranges">What nodes hold, in any order.</param>
    public static int[] Holders(int blockCount, IEnumerable<BlockRange> ranges)
    {
        ArgumentNullException.ThrowIfNull(ranges);
        int[] holders = new int[blockCount];
        foreach (BlockRange range in ranges)
        {
            for (int block = range.First; block < Math.Min(range.End, blockCount); block++)
                holders[block]++;
        }

        return holders;
    }

    /// <summary>From block 0 to the last: ranges of blocks that equally many of <paramref name="ranges"/> hold, and how many those are.</summary>
    /// <param name="blockCount">Blocks of the model.</param>
    /// <param name="ranges">What nodes hold, in any order.</param>
    public static IReadOnlyList<(BlockRange Blocks, int Nodes)> Count(int blockCount, IEnumerable<BlockRange> ranges)
    {
        int[] holders = Holders(blockCount, ranges);
        List<(BlockRange, int)> coverage = [];
        for (int first = 0, end; first < blockCount; first = end)
        {
            end = first + 1;
            while (end < blockCount && holders[end] == holders[first])
                end++;
            coverage.Add((new BlockRange(first, end), holders[first]));
        }

        return coverage;
    }

    /// <summary>The gaps of <paramref name="ranges"/> in <c>[0, blockCount)</c>, in order.</summary>
    /// <param name="blockCount">Blocks of the model.</param>
    /// <param name="ranges">What nodes hold, in any order.</param>
    public static ImmutableArray<BlockRange> Missing(int blockCount, IEnumerable<BlockRange> ranges)
    {
        ArgumentNullException.ThrowIfNull(ranges);
        ImmutableArray<BlockRange>.Builder gaps = ImmutableArray.CreateBuilder<BlockRange>();
        int covered = 0;
        foreach (BlockRange range in ranges.Order())
        {
            if (range.First > covered)
            {
                gaps.Add(new BlockRange(covered, range.First));
            }

            covered = Math.Max(covered, range.End);
        }

        if (covered < blockCount)
        {
            gaps.Add(new BlockRange(covered, blockCount));
        }

        return gaps.ToImmutable();
    }
}
