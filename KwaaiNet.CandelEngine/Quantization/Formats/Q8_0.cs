using KwaaiNet.CandelEngine.Quantization.Blocks;
using KwaaiNet.CandelEngine.Tensors;

namespace KwaaiNet.CandelEngine.Quantization.Formats;

// Block, 34 bytes for 32 numbers:
//   0   f16  scale
//   2   i8[32]  the numbers

/// <summary><see cref="GgmlType.Q8_0"/>.</summary>
internal readonly struct Q8_0 : IBlockFormat
{
    public static GgmlType Type => GgmlType.Q8_0;

    public static void DecodeGroup(ReadOnlySpan<byte> block, int group, Span<float> values)
    {
        float scale = BlockBits.Half(block);
        for (int j = 0; j < 32; j++)
            values[j] = unchecked((sbyte)block[2 + j]) * scale;
    }

    /// <summary>The largest magnitude becomes 127; halves round away from zero.</summary>
    public static void EncodeBlock(ReadOnlySpan<float> values, Span<byte> block, bool search)
    {
        float scale = Math.Abs(ScaleSearch.Extreme(values)) / 127;
        float inverse = ScaleSearch.Inverse(scale);
        BlockBits.WriteHalf(block, 0, scale);
        for (int j = 0; j < 32; j++)
            block[2 + j] = unchecked((byte)(sbyte)MathF.Round(values[j] * inverse, MidpointRounding.AwayFromZero));
    }
}
