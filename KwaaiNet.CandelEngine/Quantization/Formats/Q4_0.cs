using KwaaiNet.CandelEngine.Quantization.Blocks;
using KwaaiNet.CandelEngine.Tensors;

namespace KwaaiNet.CandelEngine.Quantization.Formats;

// Block, 18 bytes for 32 numbers:
//   0   f16  scale
//   2   u8[16]  byte j: number j in the low nibble, number j + 16 in the high one, each plus 8

/// <summary><see cref="GgmlType.Q4_0"/>.</summary>
internal readonly struct Q4_0 : IBlockFormat
{
    public static GgmlType Type => GgmlType.Q4_0;

    public static void DecodeGroup(ReadOnlySpan<byte> block, int group, Span<float> values)
    {
        float scale = BlockBits.Half(block);
        for (int j = 0; j < 16; j++)
        {
            int pair = block[2 + j];
            values[j] = ((pair & 15) - 8) * scale;
            values[j + 16] = ((pair >> 4) - 8) * scale;
        }
    }

    /// <summary>The number of largest magnitude, sign and all, becomes 0 in its nibble, which stands for −8: scale = that number / −8.</summary>
    public static void EncodeBlock(ReadOnlySpan<float> values, Span<byte> block, bool search)
    {
        float scale = ScaleSearch.Extreme(values) / -8;
        float inverse = ScaleSearch.Inverse(scale);
        BlockBits.WriteHalf(block, 0, scale);
        for (int j = 0; j < 16; j++)
        {
            int low = Math.Min(15, (int)((values[j] * inverse) + 8.5f));
            int high = Math.Min(15, (int)((values[j + 16] * inverse) + 8.5f));
            block[2 + j] = (byte)(low | (high << 4));
        }
    }
}
