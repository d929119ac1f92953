using KwaaiNet.CandelEngine.Quantization.Blocks;
using KwaaiNet.CandelEngine.Quantization.Codebooks;
using KwaaiNet.CandelEngine.Tensors;

namespace KwaaiNet.CandelEngine.Quantization.Formats;

// Block, 110 bytes for 256 numbers in 64 points of four, eight points a group of 32:
//     0   f16  d
//     2   u8[64]  low eight bits of the points
//    66   u8[8]  group g: the ninth bit of its point p is bit p
//    74   u8[32]  signs: number j of a group is bit j mod 8 of the group's byte j / 8
//   106   u8[4]  scale of group g: nibble g mod 2 of byte g / 2

/// <summary><see cref="GgmlType.IQ3_S"/>.</summary>
internal readonly struct IQ3_S : IBlockFormat
{
    public static GgmlType Type => GgmlType.IQ3_S;

    public static void DecodeGroup(ReadOnlySpan<byte> block, int group, Span<float> values)
    {
        float scale = BlockBits.Half(block) * (1 + (2 * ((block[106 + (group / 2)] >> (group % 2 * 4)) & 15)));
        for (int p = 0; p < 8; p++)
        {
            int ninth = (block[66 + group] >> p) & 1;
            ReadOnlySpan<sbyte> point = Codebook.IQ3_S.Point(block[2 + (8 * group) + p] | (ninth << 8));
            int signs = block[74 + (4 * group) + (p / 2)] >> (p % 2 * 4);
            for (int j = 0; j < 4; j++)
                values[(4 * p) + j] = scale * point[j] * BlockBits.Sign(signs, j);
        }
    }

    public static void EncodeBlock(ReadOnlySpan<float> values, Span<byte> block, bool search)
    {
        Span<float> scales = stackalloc float[8];
        for (int group = 0; group < 8; group++)
            scales[group] = CodebookFit.Scale(Codebook.IQ3_S, values.Slice(32 * group, 32), even: false, search);
        float unit = BlockBits.WriteHalf(block, 0, CodebookFit.Unit(scales, 15));
        Span<int> points = stackalloc int[2];
        for (int group = 0; group < 8; group++)
        {
            int code = CodebookFit.Code(scales[group], unit, 15);
            block[106 + (group / 2)] |= (byte)(code << (group % 2 * 4));
            float inverse = ScaleSearch.Inverse(unit * ((2 * code) + 1));
            for (int pair = 0; pair < 4; pair++)
            {
                block[74 + (4 * group) + pair] =
                    (byte)CodebookFit.Choose(Codebook.IQ3_S, values.Slice((32 * group) + (8 * pair), 8), inverse, even: false, points);
                for (int p = 0; p < 2; p++)
                {
                    block[2 + (8 * group) + (2 * pair) + p] = (byte)points[p];
                    block[66 + group] |= (byte)((points[p] >> 8) << ((2 * pair) + p));
                }
            }
        }
    }
}
