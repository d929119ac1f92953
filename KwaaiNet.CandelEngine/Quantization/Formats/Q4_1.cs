using System.Numerics.Tensors;
using KwaaiNet.CandelEngine.Quantization.Blocks;
using KwaaiNet.CandelEngine.Tensors;

namespace KwaaiNet.CandelEngine.Quantization.Formats;

// Block, 20 bytes for 32 numbers:
//   0   f16  scale
//   2   f16  minimum
//   4   u8[16]  byte j: number j in the low nibble, number j + 16 in the high one

/// <summary><see cref="GgmlType.Q4_1"/>.</summary>
internal readonly struct Q4_1 : IBlockFormat
{
    public static GgmlType Type => GgmlType.Q4_1;

    public static void DecodeGroup(ReadOnlySpan<byte> block, int group, Span<float> values)
    {
        float scale = BlockBits.Half(block);
        float minimum = BlockBits.Half(block, 2);
        for (int j = 0; j < 16; j++)
        {
            int pair = block[4 + j];
            values[j] = ((pair & 15) * scale) + minimum;
            values[j + 16] = ((pair >> 4) * scale) + minimum;
        }
    }

    /// <summary>From the smallest number, which becomes 0, to the largest, which becomes 15, in even steps.</summary>
    public static void EncodeBlock(ReadOnlySpan<float> values, Span<byte> block, bool search)
    {
        (float low, float high) = (TensorPrimitives.Min(values), TensorPrimitives.Max(values));
        float scale = (high - low) / 15;
        float inverse = ScaleSearch.Inverse(scale);
        BlockBits.WriteHalf(block, 0, scale);
        BlockBits.WriteHalf(block, 2, low);
        for (int j = 0; j < 16; j++)
        {
            int first = Math.Min(15, (int)(((values[j] - low) * inverse) + 0.5f));
            int second = Math.Min(15, (int)(((values[j + 16] - low) * inverse) + 0.5f));
            block[4 + j] = (byte)(first | (second << 4));
        }
    }
}
