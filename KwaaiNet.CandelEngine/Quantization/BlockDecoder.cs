using KwaaiNet.CandelEngine.Tensors;

namespace KwaaiNet.CandelEngine.Quantization;

/// <summary>Decodes tensor bytes of any <see cref="GgmlType"/> to float32, to the last bit as the format is defined.</summary>
/// <remarks>The definition of each format, in scalar code; what runs models decodes the same numbers with vector instructions.</remarks>
public static class BlockDecoder
{
    /// <summary>Decodes whole blocks.</summary>
    /// <param name="type">How the bytes store numbers.</param>
    /// <param name="blocks">A whole number of blocks. Any bytes decode to something; a damaged scale may decode to infinity or NaN.</param>
    /// <param name="values">Exactly as many numbers as the blocks hold.</param>
    /// <exception cref="ArgumentException">A length does not fit.</exception>
    /// <exception cref="ArgumentOutOfRangeException">The type is none of <see cref="GgmlType"/>'s.</exception>
    public static void Decode(GgmlType type, ReadOnlySpan<byte> blocks, Span<float> values)
    {
        TensorFormat format = TensorFormat.Of(type);
        (int count, int rest) = Math.DivRem(blocks.Length, type.BlockBytes());
        if (rest != 0)
            throw new ArgumentException($"{blocks.Length} bytes are not a whole number of {type} blocks of {type.BlockBytes()}.", nameof(blocks));
        if (values.Length != (long)count * type.BlockLength())
            throw new ArgumentException($"{blocks.Length} bytes of {type} hold {(long)count * type.BlockLength()} numbers, not {values.Length}.", nameof(values));
        format.Decode(blocks, values);
    }
}
