using System.Buffers.Binary;
using KwaaiNet.CandelEngine.Quantization.Blocks;
using KwaaiNet.CandelEngine.Quantization.Codebooks;
using KwaaiNet.CandelEngine.Tensors;

namespace KwaaiNet.CandelEngine.Quantization.Formats;

// Block, 50 bytes for 256 numbers in 32 points of eight, four points a group of 32:
//    0   f16  d
//    2   u8[32]  low eight bits of the points
//   34   u16[8]  group g, bits 3p … 3p + 2: upper bits of its point p, bits 12 … 14: scale, bit 15: whether the shift is −⅛ and not ⅛

/// <summary><see cref="GgmlType.IQ1_S"/>.</summary>
internal readonly struct IQ1_S : IBlockFormat
{
    public static GgmlType Type => GgmlType.IQ1_S;

    public static void DecodeGroup(ReadOnlySpan<byte> block, int group, Span<float> values)
    {
        int word = BlockBits.UInt16(block, 34 + (2 * group));
        float scale = BlockBits.Half(block) * ((2 * ((word >> 12) & 7)) + 1);
        float shift = (word & 0x8000) == 0 ? ShiftedFit.PointShift : -ShiftedFit.PointShift;
        for (int p = 0; p < 4; p++)
        {
            ReadOnlySpan<sbyte> point = Codebook.IQ1.Point(block[2 + (4 * group) + p] | (((word >> (3 * p)) & 7) << 8));
            for (int j = 0; j < 8; j++)
                values[(8 * p) + j] = scale * (point[j] + shift);
        }
    }

    public static void EncodeBlock(ReadOnlySpan<float> values, Span<byte> block, bool search)
    {
        Span<float> scales = stackalloc float[8];
        for (int group = 0; group < 8; group++)
            scales[group] = ShiftedFit.Scale(values.Slice(32 * group, 32), 32, search);
        float unit = BlockBits.WriteHalf(block, 0, CodebookFit.Unit(scales, 7));
        for (int group = 0; group < 8; group++)
        {
            ReadOnlySpan<float> numbers = values.Slice(32 * group, 32);
            int code = CodebookFit.Code(scales[group], unit, 7);
            float scale = unit * ((2 * code) + 1);
            float shift = ShiftedFit.Shift(numbers, scale);
            int word = (code << 12) | (shift < 0 ? 0x8000 : 0);
            for (int p = 0; p < 4; p++)
            {
                (int point, _) = ShiftedFit.Choose(numbers.Slice(8 * p, 8), scale, shift);
                block[2 + (4 * group) + p] = (byte)point;
                word |= (point >> 8) << (3 * p);
            }

            BinaryPrimitives.WriteUInt16LittleEndian(block[(34 + (2 * group))..], (ushort)word);
        }
    }
}
