using System.Buffers.Binary;

namespace KwaaiNet.CandelEngine.Quantization;

/// <summary>Encodes float32 rows as <see cref="Gguf.GgmlType.Q4_0"/>, with the roundings of ggml's <c>quantize_row_q4_0_ref</c>.</summary>
public static class Q4_0
{
    /// <summary>Elements in a block.</summary>
    public const int BlockLength = 32;

    /// <summary>Bytes in a block: a binary16 scale, then 16 bytes of two nibbles.</summary>
    public const int BlockBytes = 18;

    /// <summary>
    /// Encodes <paramref name="values"/> block by block. The value of largest magnitude, sign and all, becomes nibble 0, which stands
    /// for −8 · scale: scale = that value / −8. A nibble is v / scale + 8.5 cut towards zero, at most 15.
    /// </summary>
    /// <param name="values">A whole number of blocks.</param>
    /// <param name="destination">Exactly <see cref="BlockBytes"/> bytes a block.</param>
    /// <exception cref="ArgumentException">A length does not fit.</exception>
    public static void Encode(ReadOnlySpan<float> values, Span<byte> destination)
    {
        if (values.Length % BlockLength != 0)
            throw new ArgumentException($"{values.Length} values are not a whole number of blocks of {BlockLength}.", nameof(values));
        if (destination.Length != values.Length / BlockLength * BlockBytes)
            throw new ArgumentException($"{values.Length} values take {values.Length / BlockLength * BlockBytes} bytes, not {destination.Length}.", nameof(destination));
        for (; !values.IsEmpty; values = values[BlockLength..], destination = destination[BlockBytes..])
            EncodeBlock(values[..BlockLength], destination);
    }

    private static void EncodeBlock(ReadOnlySpan<float> values, Span<byte> block)
    {
        const int NibblePairs = BlockLength / 2;
        float largest = 0;
        foreach (float value in values)
        {
            if (Math.Abs(value) > Math.Abs(largest))
                largest = value;
        }

        float scale = largest / -8;
        float inverse = scale == 0 ? 0 : 1 / scale;
        BinaryPrimitives.WriteHalfLittleEndian(block, (Half)scale);
        for (int i = 0; i < NibblePairs; i++)
        {
            int low = Math.Min(15, (int)((values[i] * inverse) + 8.5f));
            int high = Math.Min(15, (int)((values[NibblePairs + i] * inverse) + 8.5f));
            block[2 + i] = (byte)(low | (high << 4));
        }
    }
}
