using KwaaiNet.CandelEngine.Gguf;

namespace KwaaiNet.CandelEngine.Quantization.Formats;

// Block, 66 bytes for 256 numbers in 8 groups of 32, a group being four points of eight numbers:
//   0   f16  d
//   2   each group, 8 bytes:   u8[4]  the points;   u32  bits 7p … 7p + 6: signs of point p, bits 28 … 31: scale

/// <summary><see cref="GgmlType.IQ2_XXS"/>.</summary>
internal readonly struct IQ2_XXS : IBlockFormat
{
    public static GgmlType Type => GgmlType.IQ2_XXS;

    public static void DecodeGroup(ReadOnlySpan<byte> block, int group, Span<float> values)
    {
        ReadOnlySpan<byte> packed = block.Slice(2 + (8 * group), 8);
        uint signsAndScale = BlockBits.UInt32(packed, 4);
        float scale = BlockBits.Half(block) * (0.5f + (signsAndScale >> 28)) * 0.25f;
        for (int p = 0; p < 4; p++)
        {
            ReadOnlySpan<sbyte> point = Codebooks.Codebook.IQ2_XXS.Point(packed[p]);
            int signs = BlockBits.EvenSigns((int)(signsAndScale >> (7 * p)) & 127);
            for (int j = 0; j < 8; j++)
                values[(8 * p) + j] = scale * point[j] * BlockBits.Sign(signs, j);
        }
    }
}
