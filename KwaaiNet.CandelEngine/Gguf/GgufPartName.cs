using System.Globalization;

namespace KwaaiNet.CandelEngine.Gguf;

// A model too large for one file is split into NAME-00001-of-0000N.gguf … NAME-0000N-of-0000N.gguf, each a GGUF of its own. Part 1 has all
// metadata; every part says (u16) split.no, from 0, (u16) split.count, and (i32) split.tensors.count, the tensors of all parts together.
// Source: llama.cpp, tools/gguf-split.

/// <summary>The name of one part of a split model.</summary>
/// <param name="Stem">What stands before the number: folder and model.</param>
/// <param name="Number">The part, from 1.</param>
/// <param name="Count">Parts.</param>
public sealed record GgufPartName(string Stem, int Number, int Count)
{
    private const string Extension = ".gguf";
    private const string Of = "-of-";
    private const int Digits = 5;
    private const int SuffixLength = 1 + Digits + 4 + Digits;

    /// <summary>Reads a path; null when it is not named as a part.</summary>
    public static GgufPartName? Parse(string path)
    {
        ArgumentNullException.ThrowIfNull(path);
        if (!path.EndsWith(Extension, StringComparison.OrdinalIgnoreCase) || path.Length < Extension.Length + SuffixLength)
            return null;
        string stem = path[..^(Extension.Length + SuffixLength)];
        ReadOnlySpan<char> suffix = path.AsSpan(stem.Length, SuffixLength);
        if (suffix[0] != '-' || !suffix.Slice(1 + Digits, Of.Length).SequenceEqual(Of)
            || !int.TryParse(suffix.Slice(1, Digits), NumberStyles.None, CultureInfo.InvariantCulture, out int number)
            || !int.TryParse(suffix[^Digits..], NumberStyles.None, CultureInfo.InvariantCulture, out int count))
        {
            return null;
        }

        return number >= 1 && number <= count ? new GgufPartName(stem, number, count) : null;
    }

    /// <summary>The path of a part of the same model.</summary>
    /// <param name="number">Which, from 1.</param>
    public string PathOf(int number) => string.Create(CultureInfo.InvariantCulture, $"{Stem}-{number:D5}-of-{Count:D5}{Extension}");
}
