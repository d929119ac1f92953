using System.Buffers.Binary;
using System.Numerics.Tensors;
using KwaaiNet.CandelEngine.Quantization.Blocks;
using KwaaiNet.CandelEngine.Tensors;

namespace KwaaiNet.CandelEngine.Quantization.Formats;

// Block, 24 bytes for 32 numbers:
//   0   f16  scale
//   2   f16  minimum
//   4   u32  bit j: the fifth bit of number j
//   8   u8[16]  byte j: low four bits of number j in the low nibble, of number j + 16 in the high one

/// <summary><see cref="GgmlType.Q5_1"/>.</summary>
internal readonly struct Q5_1 : IBlockFormat
{
    public static GgmlType Type => GgmlType.Q5_1;

    public static void DecodeGroup(ReadOnlySpan<byte> block, int group, Span<float> values)
    {
        float scale = BlockBits.Half(block);
        float minimum = BlockBits.Half(block, 2);
        uint fifths = BlockBits.UInt32(block, 4);
        for (int j = 0; j < 16; j++)
        {
            int pair = block[8 + j];
            int low = (pair & 15) | ((int)((fifths >> j) & 1) << 4);
            int high = (pair >> 4) | ((int)((fifths >> (j + 16)) & 1) << 4);
            values[j] = (low * scale) + minimum;
            values[j + 16] = (high * scale) + minimum;
        }
    }

    /// <summary>From the smallest number, which becomes 0, to the largest, which becomes 31, in even steps.</summary>
    public static void EncodeBlock(ReadOnlySpan<float> values, Span<byte> block, bool search)
    {
        (float low, float high) = (TensorPrimitives.Min(values), TensorPrimitives.Max(values));
        float scale = (high - low) / 31;
        float inverse = ScaleSearch.Inverse(scale);
        BlockBits.WriteHalf(block, 0, scale);
        BlockBits.WriteHalf(block, 2, low);
        uint fifths = 0;
        for (int j = 0; j < 16; j++)
        {
            uint first = (uint)Math.Min(31, (int)(((values[j] - low) * inverse) + 0.5f));
            uint second = (uint)Math.Min(31, (int)(((values[j + 16] - low) * inverse) + 0.5f));
            block[8 + j] = (byte)((first & 15) | ((second & 15) << 4));
            fifths |= ((first >> 4) << j) | ((second >> 4) << (j + 16));
        }

        BinaryPrimitives.WriteUInt32LittleEndian(block[4..], fifths);
    }
}
