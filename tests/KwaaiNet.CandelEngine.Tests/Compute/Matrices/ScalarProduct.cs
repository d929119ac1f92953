using System.Runtime.CompilerServices;
using KwaaiNet.CandelEngine.Compute.Blocks;
using KwaaiNet.CandelEngine.Quantization.Blocks;
using KwaaiNet.CandelEngine.Quantization.Formats;
using KwaaiNet.CandelEngine.Tensors;

namespace KwaaiNet.CandelEngine.Tests.Compute.Matrices;

/// <summary>
/// The twin of every kernel that multiplies: a row as a file stores it by a row of activations, in plain C# that shares no layout, no
/// packing and no order of loops with them, to the last bit of what they must give where no operation is fused.
/// </summary>
internal static unsafe class ScalarProduct
{
    internal static float Of(GgmlType type, byte* row, int columns, ReadOnlySpan<float> x)
    {
        int blocks = (columns + 31) / 32;
        int length = blocks % 8 == 0 ? (int)Math.Ceiling(blocks / 128.0) * 8 : (int)Math.Ceiling(blocks / 16.0);
        float total = 0;
        for (int segment = 0; segment < 16; segment++)
        {
            float sum = 0;
            for (int block = segment * length; block < Math.Min(blocks, (segment + 1) * length); block++)
            {
                var numbers = new float[32];
                ReadOnlySpan<float> these = x.Slice(32 * block, Math.Min(32, columns - (32 * block)));
                these.CopyTo(numbers);
                sum = Term(type, row, columns, block, numbers, sum);
            }

            total += sum;
        }

        return total;
    }

    private static float Term(GgmlType type, byte* row, int columns, int block, float[] x, float sum)
    {
        switch (type)
        {
            case GgmlType.Q4_0:
                {
                    byte* source = row + (18 * block);
                    (int[] numbers, float scale, _) = Integers(x, 127);
                    long dot = 0;
                    for (int c = 0; c < 32; c++) dot += 16 * (((source[2 + (c % 16)] >> (c < 16 ? 0 : 4)) & 15) - 8) * numbers[c];
                    return (HalfAt(source) * 0.0625f * scale * dot) + sum;
                }

            case GgmlType.Q8_0:
                {
                    byte* source = row + (34 * block);
                    (int[] numbers, float scale, _) = Integers(x, 32767);
                    long dot = 0;
                    for (int c = 0; c < 32; c++) dot += (sbyte)source[2 + c] * numbers[c];
                    return (HalfAt(source) * scale * dot) + sum;
                }

            case GgmlType.Q5_0 or GgmlType.IQ4_NL:
                {
                    byte* source = row + ((type == GgmlType.Q5_0 ? 22 : 18) * block);
                    (int[] numbers, float scale, _) = Integers(x, 32767);
                    long dot = 0;
                    for (int c = 0; c < 32; c++)
                    {
                        int nibble = (source[(type == GgmlType.Q5_0 ? 6 : 2) + (c % 16)] >> (c < 16 ? 0 : 4)) & 15;
                        int fifth = (source[2 + (c / 8)] >> (c % 8)) & 1;
                        dot += (type == GgmlType.Q5_0 ? nibble + (16 * fifth) - 16 : IQ4_NL.Table[nibble]) * numbers[c];
                    }

                    return (HalfAt(source) * scale * dot) + sum;
                }

            case GgmlType.Q4_K or GgmlType.Q5_K:
                {
                    byte* source = row + ((type == GgmlType.Q4_K ? 144 : 176) * (block / 8));
                    int group = block % 8;
                    (int[] numbers, float scale, float total) = Integers(x, 127);
                    byte* nibbles = source + (type == GgmlType.Q4_K ? 16 : 48) + (32 * (group / 2));
                    long dot = 0;
                    for (int c = 0; c < 32; c++)
                    {
                        int number = (nibbles[c] >> (group % 2 * 4)) & 15;
                        if (type == GgmlType.Q5_K) number += ((source[16 + c] >> group) & 1) * 16;
                        dot += number * numbers[c];
                    }

                    ReadOnlySpan<byte> packed = new(source + 4, 12);
                    sum = (-HalfAt(source + 2) * BlockBits.PackedMinimum(packed, group) * total) + sum;
                    return (HalfAt(source) * scale * (BlockBits.PackedScale(packed, group) * dot)) + sum;
                }

            case GgmlType.Q6_K:
                {
                    byte* source = row + (210 * (block / 8));
                    int group = block % 8;
                    (int[] numbers, float scale, _) = Integers(x, 127);
                    long dot = 0;
                    for (int c = 0; c < 32; c++)
                    {
                        int low = (source[(64 * (group / 4)) + (32 * (group % 2)) + c] >> (group % 4 / 2 * 4)) & 15;
                        int upper = (source[128 + (32 * (group / 4)) + c] >> (2 * (group % 4))) & 3;
                        int number = (low | (upper << 4)) - 32;
                        dot += 4L * number * numbers[c] * (sbyte)source[192 + (2 * group) + (c / 16)];
                    }

                    return (HalfAt(source + 208) * 0.25f * scale * dot) + sum;
                }

            case GgmlType.F16 or GgmlType.BF16:
                {
                    bool half = type == GgmlType.F16;
                    var upper = new float[32];
                    var lower = new float[32];
                    for (int c = 0; c < 32; c++)
                    {
                        upper[c] = half ? Half(x[c]) : Brain(x[c]);
                        float rest = float.IsFinite(upper[c]) ? x[c] - upper[c] : 0;
                        lower[c] = half ? Half(rest) : Brain(rest);
                    }

                    foreach (int first in new[] { 0, 4 })
                    {
                        foreach (float[] term in new[] { upper, lower })
                        {
                            foreach (int c in new[] { 0, 1, 2, 3, 8, 9, 10, 11, 16, 17, 18, 19, 24, 25, 26, 27 })
                            {
                                int column = (32 * block) + first + c;
                                float weight = column < columns ? WeightLayout.Element(type, row, column) : 0;
                                sum = (weight * term[first + c]) + sum;
                            }
                        }
                    }

                    return sum;
                }

            default:
                for (int c = 0; c < 32 && (32 * block) + c < columns; c++) sum = (WeightLayout.Element(type, row, (32 * block) + c) * x[c]) + sum;
                return sum;
        }
    }

    /// <summary>A block as integers, their scale and the sum of what they stand for.</summary>
    internal static (int[] Numbers, float Scale, float Sum) Integers(ReadOnlySpan<float> x, float levels)
    {
        var numbers = new int[x.Length];
        float largest = 0;
        foreach (float value in x)
        {
            if (!float.IsFinite(value)) return (numbers, float.NaN, float.NaN);

            largest = MathF.Max(largest, MathF.Abs(value));
        }

        float inverse = levels / largest;
        if (!float.IsFinite(inverse)) return (numbers, 0, 0);

        for (int i = 0; i < x.Length; i++) numbers[i] = (int)MathF.Round(x[i] * inverse, MidpointRounding.ToEven);
        return (numbers, largest / levels, largest / levels * numbers.Sum());
    }

    private static float HalfAt(byte* source) => (float)BitConverter.UInt16BitsToHalf(Unsafe.ReadUnaligned<ushort>(source));

    // Saturates, as the device does.
    private static float Half(float value) => (float)(Half)Math.Clamp(value, -65504f, 65504f);

    private static float Brain(float value)
    {
        uint bits = BitConverter.SingleToUInt32Bits(value);
        uint below = bits & 0xFFFF;
        bool up = below > 0x8000 || (below == 0x8000 && (bits & 0x10000) != 0);
        return BitConverter.UInt32BitsToSingle((bits & 0xFFFF0000) + (up ? 0x10000u : 0));
    }
}
