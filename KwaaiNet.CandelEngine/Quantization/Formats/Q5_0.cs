using System.Buffers.Binary;
using KwaaiNet.CandelEngine.Quantization.Blocks;
using KwaaiNet.CandelEngine.Tensors;

namespace KwaaiNet.CandelEngine.Quantization.Formats;

// Block, 22 bytes for 32 numbers:
//   0   f16  scale
//   2   u32  bit j: the fifth bit of number j
//   6   u8[16]  byte j: low four bits of number j in the low nibble, of number j + 16 in the high one; the five bits are the number plus 16

/// <summary><see cref="GgmlType.Q5_0"/>.</summary>
internal readonly struct Q5_0 : IBlockFormat
{
    public static GgmlType Type => GgmlType.Q5_0;

    public static void DecodeGroup(ReadOnlySpan<byte> block, int group, Span<float> values)
    {
        float scale = BlockBits.Half(block);
        uint fifths = BlockBits.UInt32(block, 2);
        for (int j = 0; j < 16; j++)
        {
            int pair = block[6 + j];
            int low = (pair & 15) | ((int)((fifths >> j) & 1) << 4);
            int high = (pair >> 4) | ((int)((fifths >> (j + 16)) & 1) << 4);
            values[j] = (low - 16) * scale;
            values[j + 16] = (high - 16) * scale;
        }
    }

    /// <summary>As Q4_0's, with five bits: scale = the number of largest magnitude / −16.</summary>
    public static void EncodeBlock(ReadOnlySpan<float> values, Span<byte> block, bool search)
    {
        float scale = ScaleSearch.Extreme(values) / -16;
        float inverse = ScaleSearch.Inverse(scale);
        BlockBits.WriteHalf(block, 0, scale);
        uint fifths = 0;
        for (int j = 0; j < 16; j++)
        {
            uint low = (uint)Math.Min(31, (int)((values[j] * inverse) + 16.5f));
            uint high = (uint)Math.Min(31, (int)((values[j + 16] * inverse) + 16.5f));
            block[6 + j] = (byte)((low & 15) | ((high & 15) << 4));
            fifths |= ((low >> 4) << j) | ((high >> 4) << (j + 16));
        }

        BinaryPrimitives.WriteUInt32LittleEndian(block[2..], fifths);
    }
}
