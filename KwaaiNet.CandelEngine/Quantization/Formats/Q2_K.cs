using System.Numerics.Tensors;
using KwaaiNet.CandelEngine.Quantization.Blocks;
using KwaaiNet.CandelEngine.Tensors;

namespace KwaaiNet.CandelEngine.Quantization.Formats;

// Block, 84 bytes for 256 numbers in 16 runs of 16:
//    0   u8[16]  run r: scale in the low nibble, minimum in the high one
//   16   u8[64]  two bits a number: number 128h + 32s + l is bits 2s, 2s + 1 of byte 32h + l
//   80   f16  d, the scale of scales
//   82   f16  dmin, the scale of minima

/// <summary><see cref="GgmlType.Q2_K"/>.</summary>
internal readonly struct Q2_K : IBlockFormat
{
    public static GgmlType Type => GgmlType.Q2_K;

    public static void DecodeGroup(ReadOnlySpan<byte> block, int group, Span<float> values)
    {
        float d = BlockBits.Half(block, 80);
        float dmin = BlockBits.Half(block, 82);
        ReadOnlySpan<byte> bits = block.Slice(16 + (group / 4 * 32), 32);
        int shift = group % 4 * 2;
        for (int run = 0; run < 2; run++)
        {
            int packed = block[(2 * group) + run];
            float scale = d * (packed & 15);
            float minimum = dmin * (packed >> 4);
            for (int l = 16 * run; l < 16 * (run + 1); l++)
                values[l] = (scale * ((bits[l] >> shift) & 3)) - minimum;
        }
    }

    public static void EncodeBlock(ReadOnlySpan<float> values, Span<byte> block, bool search)
    {
        Span<float> scales = stackalloc float[16];
        Span<float> minima = stackalloc float[16];
        for (int run = 0; run < 16; run++)
            (scales[run], minima[run]) = ScaleSearch.Affine(values.Slice(16 * run, 16), 3, search);
        float d = BlockBits.WriteHalf(block, 80, TensorPrimitives.Max<float>(scales) / 15);
        float dmin = BlockBits.WriteHalf(block, 82, TensorPrimitives.Max<float>(minima) / 15);
        for (int run = 0; run < 16; run++)
        {
            int scale = ScaleSearch.Round(scales[run] * ScaleSearch.Inverse(d), 0, 15);
            int minimum = ScaleSearch.Round(minima[run] * ScaleSearch.Inverse(dmin), 0, 15);
            block[run] = (byte)(scale | (minimum << 4));
            float inverse = ScaleSearch.Inverse(d * scale);
            for (int i = 16 * run; i < 16 * (run + 1); i++)
            {
                int number = ScaleSearch.Round((values[i] + (dmin * minimum)) * inverse, 0, 3);
                block[16 + (i / 128 * 32) + (i % 32)] |= (byte)(number << (i % 128 / 32 * 2));
            }
        }
    }
}
