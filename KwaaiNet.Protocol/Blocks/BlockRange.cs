using System.Globalization;

namespace KwaaiNet.Protocol.Blocks;

/// <summary>Contiguous transformer blocks <c>[First, End)</c> of a model.</summary>
public readonly record struct BlockRange : IComparable<BlockRange>
{
    /// <summary>Makes a range.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The range is empty or starts below 0.</exception>
    public BlockRange(int first, int end)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(first);
        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(end, first);
        First = first;
        End = end;
    }

    /// <summary>The first block.</summary>
    public int First { get; }

    /// <summary>One past the last block.</summary>
    public int End { get; }

    /// <summary>How many blocks.</summary>
    public int Count => End - First;

    /// <summary>Whether every block of <paramref name="other"/> is in this range.</summary>
    public bool Contains(BlockRange other) => First <= other.First && other.End <= End;

    /// <summary>Whether the ranges share a block.</summary>
    public bool Overlaps(BlockRange other) => First < other.End && other.First < End;

    /// <summary>Cuts <c>[0, blockCount)</c> into <paramref name="parts"/> ranges whose sizes differ by at most one, larger ones first.</summary>
    /// <exception cref="ArgumentOutOfRangeException">There are no blocks, no parts, or more parts than blocks.</exception>
    public static BlockRange[] Split(int blockCount, int parts)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(parts);
        ArgumentOutOfRangeException.ThrowIfLessThan(blockCount, parts);
        BlockRange[] ranges = new BlockRange[parts];
        int first = 0;
        for (int part = 0; part < parts; part++)
        {
            int count = (blockCount / parts) + (part < blockCount % parts ? 1 : 0);
            ranges[part] = new BlockRange(first, first + count);
            first += count;
        }

        return ranges;
    }

    /// <summary>Reads <c>0-9</c> (both ends included, as <see cref="ToString"/> writes) or a single block.</summary>
    public static bool TryParse(string? text, out BlockRange range)
    {
        range = default;
        string[] ends = (text ?? string.Empty).Split('-', StringSplitOptions.TrimEntries);
        if (ends.Length is < 1 or > 2
            || !int.TryParse(ends[0], NumberStyles.None, CultureInfo.InvariantCulture, out int first)
            || !int.TryParse(ends[^1], NumberStyles.None, CultureInfo.InvariantCulture, out int last)
            || last < first || last == int.MaxValue)
        {
            return false;
        }

        range = new BlockRange(first, last + 1);
        return true;
    }

    /// <inheritdoc/>
    public int CompareTo(BlockRange other) => First != other.First ? First.CompareTo(other.First) : End.CompareTo(other.End);

    /// <summary>First and last block, both included: <c>0-9</c>.</summary>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{First}-{End - 1}");
}
