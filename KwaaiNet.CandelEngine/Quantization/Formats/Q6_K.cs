using KwaaiNet.CandelEngine.Quantization.Blocks;
using KwaaiNet.CandelEngine.Tensors;

namespace KwaaiNet.CandelEngine.Quantization.Formats;

// Block, 210 bytes for 256 numbers in 16 runs of 16:
//     0   u8[128]  low four bits: number 128h + 64n + l, l < 64, is nibble n of byte 64h + l
//   128   u8[64]  upper two bits: number 128h + 32s + l is bits 2s, 2s + 1 of byte 32h + l; the six bits are the number plus 32
//   192   i8[16]  scales
//   208   f16  d, the scale of scales

/// <summary><see cref="GgmlType.Q6_K"/>.</summary>
internal readonly struct Q6_K : IBlockFormat
{
    public static GgmlType Type => GgmlType.Q6_K;

    public static void DecodeGroup(ReadOnlySpan<byte> block, int group, Span<float> values)
    {
        float d = BlockBits.Half(block, 208);
        int half = group / 4;
        int quarter = group % 4;
        ReadOnlySpan<byte> low = block.Slice((64 * half) + (quarter % 2 * 32), 32);
        ReadOnlySpan<byte> upper = block.Slice(128 + (32 * half), 32);
        int shift = quarter / 2 * 4;
        for (int run = 0; run < 2; run++)
        {
            float scale = d * unchecked((sbyte)block[192 + (2 * group) + run]);
            for (int l = 16 * run; l < 16 * (run + 1); l++)
                values[l] = scale * ((((low[l] >> shift) & 15) | (((upper[l] >> (2 * quarter)) & 3) << 4)) - 32);
        }
    }

    public static void EncodeBlock(ReadOnlySpan<float> values, Span<byte> block, bool search)
    {
        Span<float> scales = stackalloc float[16];
        for (int run = 0; run < 16; run++)
            scales[run] = ScaleSearch.Signed(values.Slice(16 * run, 16), -32, 31, search);
        float d = BlockBits.WriteHalf(block, 208, ScaleSearch.Extreme(scales) / -128);
        for (int run = 0; run < 16; run++)
        {
            int scale = ScaleSearch.Round(scales[run] * ScaleSearch.Inverse(d), -128, 127);
            block[192 + run] = unchecked((byte)scale);
            float inverse = ScaleSearch.Inverse(d * scale);
            for (int i = 16 * run; i < 16 * (run + 1); i++)
            {
                int number = ScaleSearch.Round(values[i] * inverse, -32, 31) + 32;
                block[(i / 128 * 64) + (i % 64)] |= (byte)((number & 15) << (i % 128 / 64 * 4));
                block[128 + (i / 128 * 32) + (i % 32)] |= (byte)((number >> 4) << (i % 128 / 32 * 2));
            }
        }
    }
}
