using System.Buffers.Binary;
using KwaaiNet.CandelEngine.Quantization.Blocks;
using KwaaiNet.CandelEngine.Quantization.Codebooks;
using KwaaiNet.CandelEngine.Tensors;

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
            ReadOnlySpan<sbyte> point = Codebook.IQ3_XXS.Point(block[2 + (8 * group) + p]);
            int signs = BlockBits.EvenSigns((int)(signsAndScale >> (p / 2 * 7)) & 127) >> (p % 2 * 4);
            for (int j = 0; j < 4; j++)
                values[(4 * p) + j] = scale * point[j] * BlockBits.Sign(signs, j);
        }
    }

    public static void EncodeBlock(ReadOnlySpan<float> values, Span<byte> block, bool search)
    {
        Span<float> scales = stackalloc float[8];
        for (int group = 0; group < 8; group++)
            scales[group] = CodebookFit.Scale(Codebook.IQ3_XXS, values.Slice(32 * group, 32), even: true, search);
        float unit = BlockBits.WriteHalf(block, 0, 4 * CodebookFit.Unit(scales, 15)) / 4;
        Span<int> points = stackalloc int[2];
        for (int group = 0; group < 8; group++)
        {
            int code = CodebookFit.Code(scales[group], unit, 15);
            float inverse = ScaleSearch.Inverse(unit * ((2 * code) + 1));
            uint signsAndScale = (uint)code << 28;
            for (int pair = 0; pair < 4; pair++)
            {
                int signs = CodebookFit.Choose(Codebook.IQ3_XXS, values.Slice((32 * group) + (8 * pair), 8), inverse, even: true, points);
                block[2 + (8 * group) + (2 * pair)] = (byte)points[0];
                block[3 + (8 * group) + (2 * pair)] = (byte)points[1];
                signsAndScale |= (uint)(signs & 127) << (7 * pair);
            }

            BinaryPrimitives.WriteUInt32LittleEndian(block[(66 + (4 * group))..], signsAndScale);
        }
    }
}
