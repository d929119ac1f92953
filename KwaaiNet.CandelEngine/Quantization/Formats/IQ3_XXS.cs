using KwaaiNet.CandelEngine.Gguf;

namespace KwaaiNet.CandelEngine.Quantization.Formats;

// Block, 98 bytes for 256 numbers in 64 points of four, eight points a group of 32:
//    0   f16  d
//    2   u8[64]  the points
//   66   u32[8]  group g, bits 7p … 7p + 6: signs of its points 2p and 2p + 1, bits 28 … 31: scale

/// <summary><see cref="GgmlType.IQ3_XXS"/>.</summary>
internal readonly struct IQ3_XXS : IBlockFormat
{
    public static GgmlType Type => GgmlType.IQ3_XXS;

    public static void DecodeGroup(ReadOnlySpan<byte> block, int group, Span<float> values)
    {
        uint signsAndScale = BlockBits.UInt32(block, 66 + (4 * group));
        float scale = BlockBits.Half(block) * (0.5f + (signsAndScale >> 28)) * 0.5f;
        for (int p = 0; p < 8; p++)
        {
            ReadOnlySpan<sbyte> point = Codebooks.Codebook.IQ3_XXS.Point(block[2 + (8 * group) + p]);
            int signs = BlockBits.EvenSigns((int)(signsAndScale >> (p / 2 * 7)) & 127) >> (p % 2 * 4);
            for (int j = 0; j < 4; j++)
                values[(4 * p) + j] = scale * point[j] * BlockBits.Sign(signs, j);
        }
    }
}
