using System.Buffers.Binary;
using KwaaiNet.CandelEngine.Quantization.Blocks;
using KwaaiNet.CandelEngine.Quantization.Codebooks;
using KwaaiNet.CandelEngine.Tensors;

namespace KwaaiNet.CandelEngine.Quantization.Formats;

// Block, 56 bytes for 256 numbers in 32 points of eight, four points a group of 32:
//    0   u8[32]  low eight bits of the points
//   32   u8[16]  point 2i in the low nibble of byte i, point 2i + 1 in the high one: three upper bits, and whether its shift is −⅛ and not ⅛
//   48   u16[4]  word w, bits 0 … 11: 3-bit scales of four pairs of points; bits 12 … 15: nibble w of d, a binary16 in four pieces

/// <summary><see cref="GgmlType.IQ1_M"/>.</summary>
internal readonly struct IQ1_M : IBlockFormat
{
    public static GgmlType Type => GgmlType.IQ1_M;

    public static void DecodeGroup(ReadOnlySpan<byte> block, int group, Span<float> values)
    {
        int bits = 0;
        for (int w = 0; w < 4; w++)
            bits |= (BlockBits.UInt16(block, 48 + (2 * w)) >> 12) << (4 * w);
        float d = BlockBits.Half(bits);
        int scales = BlockBits.UInt16(block, 48 + (group / 2 * 2)) >> (group % 2 * 6);
        for (int p = 0; p < 4; p++)
        {
            float scale = d * ((2 * ((scales >> (p / 2 * 3)) & 7)) + 1);
            int upper = block[32 + (2 * group) + (p / 2)] >> (p % 2 * 4);
            float shift = (upper & 8) == 0 ? ShiftedFit.PointShift : -ShiftedFit.PointShift;
            ReadOnlySpan<sbyte> point = Codebook.IQ1.Point(block[(4 * group) + p] | ((upper & 7) << 8));
            for (int j = 0; j < 8; j++)
                values[(8 * p) + j] = scale * (point[j] + shift);
        }
    }

    public static void EncodeBlock(ReadOnlySpan<float> values, Span<byte> block, bool search)
    {
        Span<float> scales = stackalloc float[16];
        for (int run = 0; run < 16; run++)
            scales[run] = ShiftedFit.Scale(values.Slice(16 * run, 16), 8, search);
        Span<byte> half = stackalloc byte[2];
        float unit = BlockBits.WriteHalf(half, 0, CodebookFit.Unit(scales, 7));
        int bits = BlockBits.UInt16(half, 0);
        Span<int> words = stackalloc int[4];
        for (int w = 0; w < 4; w++)
            words[w] = ((bits >> (4 * w)) & 15) << 12;
        for (int run = 0; run < 16; run++)
        {
            int code = CodebookFit.Code(scales[run], unit, 7);
            words[run / 4] |= code << (run % 4 * 3);
            float scale = unit * ((2 * code) + 1);
            for (int p = 2 * run; p < 2 * (run + 1); p++)
            {
                ReadOnlySpan<float> numbers = values.Slice(8 * p, 8);
                float shift = ShiftedFit.Shift(numbers, scale);
                (int point, _) = ShiftedFit.Choose(numbers, scale, shift);
                block[p] = (byte)point;
                block[32 + (p / 2)] |= (byte)(((point >> 8) | (shift < 0 ? 8 : 0)) << (p % 2 * 4));
            }
        }

        for (int w = 0; w < 4; w++)
            BinaryPrimitives.WriteUInt16LittleEndian(block[(48 + (2 * w))..], (ushort)words[w]);
    }
}
