using System.Buffers.Binary;
using KwaaiNet.CandelEngine.Quantization.Blocks;
using KwaaiNet.CandelEngine.Quantization.Codebooks;
using KwaaiNet.CandelEngine.Tensors;

namespace KwaaiNet.CandelEngine.Quantization.Formats;

// Block, 74 bytes for 256 numbers in 32 points of eight, four points a group of 32:
//    0   f16  d
//    2   u16[32]  bits 0 … 8: the point, bits 9 … 15: its signs
//   66   u8[8]  group g: scale of its first two points in the low nibble, of the others in the high one

/// <summary><see cref="GgmlType.IQ2_XS"/>.</summary>
internal readonly struct IQ2_XS : IBlockFormat
{
    public static GgmlType Type => GgmlType.IQ2_XS;

    public static void DecodeGroup(ReadOnlySpan<byte> block, int group, Span<float> values)
    {
        float d = BlockBits.Half(block);
        for (int p = 0; p < 4; p++)
        {
            float scale = d * (0.5f + ((block[66 + group] >> (p / 2 * 4)) & 15)) * 0.25f;
            int word = BlockBits.UInt16(block, 2 + (8 * group) + (2 * p));
            ReadOnlySpan<sbyte> point = Codebook.IQ2_XS.Point(word & 511);
            int signs = BlockBits.EvenSigns(word >> 9);
            for (int j = 0; j < 8; j++)
                values[(8 * p) + j] = scale * point[j] * BlockBits.Sign(signs, j);
        }
    }

    public static void EncodeBlock(ReadOnlySpan<float> values, Span<byte> block, bool search)
    {
        Span<float> scales = stackalloc float[16];
        for (int run = 0; run < 16; run++)
            scales[run] = CodebookFit.Scale(Codebook.IQ2_XS, values.Slice(16 * run, 16), even: true, search);
        float unit = BlockBits.WriteHalf(block, 0, 8 * CodebookFit.Unit(scales, 15)) / 8;
        Span<int> point = stackalloc int[1];
        for (int run = 0; run < 16; run++)
        {
            int code = CodebookFit.Code(scales[run], unit, 15);
            block[66 + (run / 2)] |= (byte)(code << (run % 2 * 4));
            float inverse = ScaleSearch.Inverse(unit * ((2 * code) + 1));
            for (int p = 2 * run; p < 2 * (run + 1); p++)
            {
                int signs = CodebookFit.Choose(Codebook.IQ2_XS, values.Slice(8 * p, 8), inverse, even: true, point);
                BinaryPrimitives.WriteUInt16LittleEndian(block[(2 + (2 * p))..], (ushort)(point[0] | ((signs & 127) << 9)));
            }
        }
    }
}
