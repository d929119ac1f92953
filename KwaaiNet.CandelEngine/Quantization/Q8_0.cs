using System.Buffers.Binary;

namespace KwaaiNet.CandelEngine.Quantization;

/// <summary>Encodes float32 rows as <see cref="Gguf.GgmlType.Q8_0"/>, with the roundings of ggml's <c>quantize_row_q8_0_ref</c>.</summary>
public static class Q8_0
{
    /// <summary>Elements in a block.</summary>
    public const int BlockLength = 32;

    /// <summary>Bytes in a block: a binary16 scale, then 32 signed bytes.</summary>
    public const int BlockBytes = 34;

    /// <summary>Encodes <paramref name="values"/> block by block: scale = max|v| / 127, byte = v / scale rounded half away from zero.</summary>
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
        float largest = 0;
        foreach (float value in values)
            largest = Math.Max(largest, Math.Abs(value));
        float scale = largest / 127;
        float inverse = scale == 0 ? 0 : 1 / scale;
        BinaryPrimitives.WriteHalfLittleEndian(block, (Half)scale);
        for (int i = 0; i < BlockLength; i++)
            block[2 + i] = unchecked((byte)(sbyte)MathF.Round(values[i] * inverse, MidpointRounding.AwayFromZero));
    }
}
