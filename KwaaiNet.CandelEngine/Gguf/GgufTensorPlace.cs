using KwaaiNet.CandelEngine.Tensors;

namespace KwaaiNet.CandelEngine.Gguf;

/// <summary>Where a tensor lies in a GGUF file, by the file's header.</summary>
/// <param name="Name">The tensor's name.</param>
/// <param name="Shape">Its lengths in ggml's order: the row's length first.</param>
/// <param name="Type">How its numbers are stored.</param>
/// <param name="Offset">Bytes from the start of the file.</param>
/// <param name="Bytes">Its length in bytes, without the padding behind it.</param>
public sealed record GgufTensorPlace(string Name, IReadOnlyList<long> Shape, GgmlType Type, long Offset, long Bytes)
{
    /// <summary>The transformer block it belongs to, <c>blk.N.…</c>; null for a tensor outside the blocks.</summary>
    public int? Block
    {
        get
        {
            const string Prefix = "blk.";
            int dot = Name.StartsWith(Prefix, StringComparison.Ordinal) ? Name.IndexOf('.', Prefix.Length) : -1;
            return dot > 0 && int.TryParse(Name.AsSpan(Prefix.Length, dot - Prefix.Length), System.Globalization.NumberStyles.None, null, out int block)
                ? block
                : null;
        }
    }
}
