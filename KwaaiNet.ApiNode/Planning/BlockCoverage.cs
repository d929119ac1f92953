using System.Collections.Immutable;
using KwaaiNet.Protocol.Blocks;

namespace KwaaiNet.ApiNode.Planning;

/// <summary>Which blocks a set of ranges leaves uncovered.</summary>
internal static class BlockCoverage
{
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
