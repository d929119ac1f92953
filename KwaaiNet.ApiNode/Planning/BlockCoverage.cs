using System.Collections.Immutable;
using KwaaiNet.Protocol.Blocks;

namespace KwaaiNet.ApiNode.Planning;

/// <summary>How often a set of ranges covers each block.</summary>
internal static class BlockCoverage
{
    /// <summary>From block 0 to the last: ranges of blocks that equally many of <paramref name="ranges"/> hold, and how many those are.</summary>
    public static IReadOnlyList<(BlockRange Blocks, int Nodes)> Count(int blockCount, IEnumerable<BlockRange> ranges)
    {
        int[] nodes = new int[blockCount];
        foreach (BlockRange range in ranges)
        {
            for (int block = range.First; block < Math.Min(range.End, blockCount); block++)
            {
                nodes[block]++;
            }
        }

        List<(BlockRange, int)> coverage = [];
        for (int first = 0, end; first < blockCount; first = end)
        {
            end = first + 1;
            while (end < blockCount && nodes[end] == nodes[first])
            {
                end++;
            }

            coverage.Add((new BlockRange(first, end), nodes[first]));
        }

        return coverage;
    }

    /// <summary>The gaps of <paramref name="ranges"/> in <c>[0, blockCount)</c>, in order.</summary>
    public static ImmutableArray<BlockRange> Missing(int blockCount, IEnumerable<BlockRange> ranges)
    {
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
