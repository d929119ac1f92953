using KwaaiNet.CandelEngine.Gguf;

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
}
