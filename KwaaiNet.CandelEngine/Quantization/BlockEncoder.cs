using KwaaiNet.CandelEngine.Quantization.Blocks;
using KwaaiNet.CandelEngine.Tensors;

namespace KwaaiNet.CandelEngine.Quantization;

/// <summary>Encodes float32 numbers as any <see cref="GgmlType"/>.</summary>
/// <remarks>
/// The legacy formats (Q4_0 to Q8_0) round as ggml's <c>quantize_row_*_ref</c>. The others search for the scales that leave the least
/// squared error, and never do worse than scales taken from a run's extremes; codebook formats compare with every point, which takes
/// milliseconds a block. No importance matrix is used. The same numbers give the same bytes on every machine.
/// </remarks>
public static class BlockEncoder
{
    /// <summary>Encodes whole blocks.</summary>
    /// <param name="type">How to store the numbers.</param>
    /// <param name="values">A whole number of blocks; rows of a matrix may follow one another.</param>
    /// <param name="blocks">Exactly the bytes of those blocks.</param>
    /// <exception cref="ArgumentException">A length does not fit.</exception>
    /// <exception cref="ArgumentOutOfRangeException">The type is none of <see cref="GgmlType"/>'s.</exception>
    /// <exception cref="QuantizationException">A number is NaN or infinite, or too large for the format. What <paramref name="blocks"/> holds then is undefined.</exception>
    public static void Encode(GgmlType type, ReadOnlySpan<float> values, Span<byte> blocks)
    {
        TensorFormat format = TensorFormat.Of(type);
        (int count, int rest) = Math.DivRem(values.Length, type.BlockLength());
        if (rest != 0)
            throw new ArgumentException($"{values.Length} numbers are not a whole number of {type} blocks of {type.BlockLength()}.", nameof(values));
        if (blocks.Length != (long)count * type.BlockBytes())
            throw new ArgumentException($"{values.Length} numbers as {type} take {(long)count * type.BlockBytes()} bytes, not {blocks.Length}.", nameof(blocks));
        int bad = values.IndexOfAnyExceptInRange(float.MinValue, float.MaxValue);
        if (bad >= 0)
            throw new QuantizationException($"Number {bad} of {values.Length} is {values[bad]}, which no format stores as a weight. Correct the weights it comes from.");
        format.Encode(values, blocks, search: true);
    }
}
