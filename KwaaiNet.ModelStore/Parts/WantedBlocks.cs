using System.Globalization;

namespace KwaaiNet.ModelStore.Parts;

/// <summary>Which blocks of a model to fetch: <c>0-7</c> with both ends included, or <c>none</c> for the header only.</summary>
/// <param name="First">The first block.</param>
/// <param name="End">One past the last; equal to <paramref name="First"/> for none.</param>
public readonly record struct WantedBlocks(int First, int End)
{
    /// <summary>No blocks: what a node needs that only reads and writes text.</summary>
    public static WantedBlocks None { get; } = new(0, 0);

    /// <summary>Reads what a user writes.</summary>
    /// <exception cref="ModelStoreException">It is no range.</exception>
    public static WantedBlocks Parse(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        if (text.Equals("none", StringComparison.OrdinalIgnoreCase)) return None;
        string[] ends = text.Split('-', StringSplitOptions.TrimEntries);
        return ends.Length is 1 or 2
            && int.TryParse(ends[0], NumberStyles.None, CultureInfo.InvariantCulture, out int first)
            && int.TryParse(ends[^1], NumberStyles.None, CultureInfo.InvariantCulture, out int last)
            && last >= first && last < int.MaxValue
                ? new WantedBlocks(first, last + 1)
                : throw new ModelStoreException($"'{text}' is not a range of blocks.", "write both ends, included, as in --blocks 0-7; --blocks none fetches the header only.");
    }

    /// <summary>Checks the blocks against a model that has so many.</summary>
    /// <exception cref="ModelStoreException">It has not all of them.</exception>
    public (int First, int End) Resolve(int? blockCount, string model)
    {
        if (blockCount is not { } count)
            throw new ModelStoreException($"The header of {model} does not say how many blocks it has.", "pull it whole, without --blocks.");
        return End <= count
            ? (First, End)
            : throw new ModelStoreException($"{model} has blocks 0-{count - 1}; {this} are asked for.", $"--blocks with a range within 0-{count - 1}.");
    }

    /// <inheritdoc/>
    public override string ToString() => End > First ? string.Create(CultureInfo.InvariantCulture, $"{First}-{End - 1}") : "none";
}
