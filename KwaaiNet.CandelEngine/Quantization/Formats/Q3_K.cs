using KwaaiNet.CandelEngine.Quantization.Blocks;
using KwaaiNet.CandelEngine.Tensors;

namespace KwaaiNet.CandelEngine.Quantization.Formats;

// Block, 110 bytes for 256 numbers in 16 runs of 16:
//     0   u8[32]  third bits: number 32g + l is bit g of byte l
//    32   u8[64]  two bits a number: number 128h + 32s + l is bits 2s, 2s + 1 of byte 32h + l; the three bits are the number plus 4
//    96   u8[12]  6-bit scales, each plus 32: the low four bits of run r are the low nibble of byte r for r < 8 and the high nibble of
//                 byte r − 8 for the others; the upper two are bits 2(r / 4), 2(r / 4) + 1 of byte 8 + r mod 4
//   108   f16  d, the scale of scales

/// <summary><see cref="GgmlType.Q3_K"/>.</summary>
internal readonly struct Q3_K : IBlockFormat
{
    public static GgmlType Type => GgmlType.Q3_K;

    public static void DecodeGroup(ReadOnlySpan<byte> block, int group, Span<float> values)
    {
        float d = BlockBits.Half(block, 108);
        ReadOnlySpan<byte> bits = block.Slice(32 + (group / 4 * 32), 32);
        int shift = group % 4 * 2;
        for (int run = 0; run < 2; run++)
        {
            float scale = d * (Scale(block.Slice(96, 12), (2 * group) + run) - 32);
            for (int l = 16 * run; l < 16 * (run + 1); l++)
                values[l] = scale * (((bits[l] >> shift) & 3) + (((block[l] >> group) & 1) * 4) - 4);
        }
    }

    public static void EncodeBlock(ReadOnlySpan<float> values, Span<byte> block, bool search)
    {
        Span<float> scales = stackalloc float[16];
        for (int run = 0; run < 16; run++)
            scales[run] = ScaleSearch.Signed(values.Slice(16 * run, 16), -4, 3, search);
        float d = BlockBits.WriteHalf(block, 108, ScaleSearch.Extreme(scales) / -32);
        for (int run = 0; run < 16; run++)
        {
            int scale = ScaleSearch.Round(scales[run] * ScaleSearch.Inverse(d), -32, 31);
            int stored = scale + 32;
            block[96 + (run % 8)] |= (byte)((stored & 15) << (run / 8 * 4));
            block[104 + (run % 4)] |= (byte)((stored >> 4) << (run / 4 * 2));
            float inverse = ScaleSearch.Inverse(d * scale);
            for (int i = 16 * run; i < 16 * (run + 1); i++)
            {
                int number = ScaleSearch.Round(values[i] * inverse, -4, 3) + 4;
                block[32 + (i / 128 * 32) + (i % 32)] |= (byte)((number & 3) << (i % 128 / 32 * 2));
                block[i % 32] |= (byte)((number >> 2) << (i / 32));
            }
        }
    }

    /// <summary>A run's 6-bit scale as stored: 32 more than it is.</summary>
    internal static int Scale(ReadOnlySpan<byte> packed, int run)
    {
        int low = run < 8 ? packed[run] & 15 : packed[run - 8] >> 4;
        return low | (((packed[8 + (run % 4)] >> (run / 4 * 2)) & 3) << 4);
    }
}
