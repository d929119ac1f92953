using KwaaiNet.CandelEngine.Quantization.Blocks;
using KwaaiNet.CandelEngine.Tensors;

namespace KwaaiNet.CandelEngine.Quantization.Formats;

// Block, 136 bytes for 256 numbers in 8 groups of 32:
//   0   f16  d, the scale of scales
//   2   u16  upper two bits of the 6-bit scales: group g is bits 2g, 2g + 1
//   4   u8[4]  low four bits of the scales: group g is nibble g mod 2 of byte g / 2; the six bits are the scale plus 32
//   8   u8[128]  byte 16g + j: places in IQ4_NL's table, of number j of group g in the low nibble, of number j + 16 in the high one

/// <summary><see cref="GgmlType.IQ4_XS"/>.</summary>
internal readonly struct IQ4_XS : IBlockFormat
{
    public static GgmlType Type => GgmlType.IQ4_XS;

    public static void DecodeGroup(ReadOnlySpan<byte> block, int group, Span<float> values)
    {
        float scale = BlockBits.Half(block) * Scale(block, group);
        for (int j = 0; j < 16; j++)
        {
            int pair = block[8 + (16 * group) + j];
            values[j] = scale * IQ4_NL.Table[pair & 15];
            values[j + 16] = scale * IQ4_NL.Table[pair >> 4];
        }
    }

    public static void EncodeBlock(ReadOnlySpan<float> values, Span<byte> block, bool search)
    {
        Span<float> scales = stackalloc float[8];
        for (int group = 0; group < 8; group++)
            scales[group] = ScaleSearch.Table(values.Slice(32 * group, 32), IQ4_NL.Table, search);
        float d = BlockBits.WriteHalf(block, 0, ScaleSearch.Extreme(scales) / -32);
        for (int group = 0; group < 8; group++)
        {
            int scale = ScaleSearch.Round(scales[group] * ScaleSearch.Inverse(d), -32, 31);
            int stored = scale + 32;
            block[4 + (group / 2)] |= (byte)((stored & 15) << (group % 2 * 4));
            block[2 + (group / 4)] |= (byte)((stored >> 4) << (group % 4 * 2));
            float inverse = ScaleSearch.Inverse(d * scale);
            for (int j = 0; j < 16; j++)
            {
                int low = ScaleSearch.Nearest(IQ4_NL.Table, values[(32 * group) + j] * inverse);
                int high = ScaleSearch.Nearest(IQ4_NL.Table, values[(32 * group) + j + 16] * inverse);
                block[8 + (16 * group) + j] = (byte)(low | (high << 4));
            }
        }
    }

    /// <summary>A group's scale, −32 to 31.</summary>
    internal static int Scale(ReadOnlySpan<byte> block, int group)
    {
        int low = (block[4 + (group / 2)] >> (group % 2 * 4)) & 15;
        int upper = (BlockBits.UInt16(block, 2) >> (2 * group)) & 3;
        return (low | (upper << 4)) - 32;
    }
}
