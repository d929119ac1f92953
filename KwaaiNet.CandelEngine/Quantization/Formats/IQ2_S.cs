using KwaaiNet.CandelEngine.Quantization.Blocks;
using KwaaiNet.CandelEngine.Quantization.Codebooks;
using KwaaiNet.CandelEngine.Tensors;

namespace KwaaiNet.CandelEngine.Quantization.Formats;

// Block, 82 bytes for 256 numbers in 32 points of eight, four points a group of 32:
//    0   f16  d
//    2   u8[32]  low eight bits of the points
//   34   u8[32]  signs of the points, bit j for number j
//   66   u8[8]  group g: upper two bits of its point p are bits 2p, 2p + 1
//   74   u8[8]  group g: scale of its first two points in the low nibble, of the others in the high one

/// <summary><see cref="GgmlType.IQ2_S"/>.</summary>
internal readonly struct IQ2_S : IBlockFormat
{
    public static GgmlType Type => GgmlType.IQ2_S;

    public static void DecodeGroup(ReadOnlySpan<byte> block, int group, Span<float> values)
    {
        float d = BlockBits.Half(block);
        for (int p = 0; p < 4; p++)
        {
            float scale = d * (0.5f + ((block[74 + group] >> (p / 2 * 4)) & 15)) * 0.25f;
            int upper = (block[66 + group] >> (2 * p)) & 3;
            ReadOnlySpan<sbyte> point = Codebook.IQ2_S.Point(block[2 + (4 * group) + p] | (upper << 8));
            int signs = block[34 + (4 * group) + p];
            for (int j = 0; j < 8; j++)
                values[(8 * p) + j] = scale * point[j] * BlockBits.Sign(signs, j);
        }
    }

    public static void EncodeBlock(ReadOnlySpan<float> values, Span<byte> block, bool search)
    {
        Span<float> scales = stackalloc float[16];
        for (int run = 0; run < 16; run++)
            scales[run] = CodebookFit.Scale(Codebook.IQ2_S, values.Slice(16 * run, 16), even: false, search);
        float unit = BlockBits.WriteHalf(block, 0, 8 * CodebookFit.Unit(scales, 15)) / 8;
        Span<int> point = stackalloc int[1];
        for (int run = 0; run < 16; run++)
        {
            int code = CodebookFit.Code(scales[run], unit, 15);
            block[74 + (run / 2)] |= (byte)(code << (run % 2 * 4));
            float inverse = ScaleSearch.Inverse(unit * ((2 * code) + 1));
            for (int p = 2 * run; p < 2 * (run + 1); p++)
            {
                block[34 + p] = (byte)CodebookFit.Choose(Codebook.IQ2_S, values.Slice(8 * p, 8), inverse, even: false, point);
                block[2 + p] = (byte)point[0];
                block[66 + (p / 4)] |= (byte)((point[0] >> 8) << (p % 4 * 2));
            }
        }
    }
}
