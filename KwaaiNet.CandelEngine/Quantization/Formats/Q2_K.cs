using KwaaiNet.CandelEngine.Gguf;

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
}
