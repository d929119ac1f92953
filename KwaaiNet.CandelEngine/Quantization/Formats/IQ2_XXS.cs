using System.Buffers.Binary;
using KwaaiNet.CandelEngine.Quantization.Blocks;
using KwaaiNet.CandelEngine.Quantization.Codebooks;
using KwaaiNet.CandelEngine.Tensors;

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
            ReadOnlySpan<sbyte> point = Codebook.IQ2_XXS.Point(packed[p]);
            int signs = BlockBits.EvenSigns((int)(signsAndScale >> (7 * p)) & 127);
            for (int j = 0; j < 8; j++)
                values[(8 * p) + j] = scale * point[j] * BlockBits.Sign(signs, j);
        }
    }

    public static void EncodeBlock(ReadOnlySpan<float> values, Span<byte> block, bool search)
    {
        Span<float> scales = stackalloc float[8];
        for (int group = 0; group < 8; group++)
            scales[group] = CodebookFit.Scale(Codebook.IQ2_XXS, values.Slice(32 * group, 32), even: true, search);
        float unit = BlockBits.WriteHalf(block, 0, 8 * CodebookFit.Unit(scales, 15)) / 8;
        Span<int> point = stackalloc int[1];
        for (int group = 0; group < 8; group++)
        {
            int code = CodebookFit.Code(scales[group], unit, 15);
            float inverse = ScaleSearch.Inverse(unit * ((2 * code) + 1));
            uint signsAndScale = (uint)code << 28;
            for (int p = 0; p < 4; p++)
            {
                int signs = CodebookFit.Choose(Codebook.IQ2_XXS, values.Slice((32 * group) + (8 * p), 8), inverse, even: true, point);
                block[2 + (8 * group) + p] = (byte)point[0];
                signsAndScale |= (uint)(signs & 127) << (7 * p);
            }

            BinaryPrimitives.WriteUInt32LittleEndian(block[(6 + (8 * group))..], signsAndScale);
        }
    }
}
