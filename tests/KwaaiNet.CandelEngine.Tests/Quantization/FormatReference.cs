using System.Numerics;
using KwaaiNet.CandelEngine.Quantization.Codebooks;
using KwaaiNet.CandelEngine.Tensors;

namespace KwaaiNet.CandelEngine.Tests.Quantization;

/// <summary>
/// The formats a second time: one number at a time, each field by its bit position in the block, in double precision, rounded once.
/// Every product of a scale and a stored integer fits double exactly, so that one rounding is float32's own.
/// </summary>
/// <param name="Type">The format.</param>
/// <param name="Block">One block.</param>
internal sealed record FormatReference(GgmlType Type, byte[] Block)
{
    private readonly BigInteger _bits = new(Block, isUnsigned: true);

    public float this[int i] => (float)Value(i);

    /// <summary>Whether two numbers are the same bits; NaNs are one, since their bits are the processor's choice.</summary>
    public static bool Same(float a, float b) =>
        BitConverter.SingleToInt32Bits(a) == BitConverter.SingleToInt32Bits(b) || (float.IsNaN(a) && float.IsNaN(b));

    private double Value(int i)
    {
        int nibble = (8 * (i % 16)) + (4 * (i / 16)); // in blocks of 32: where a number's nibble lies, from the first
        int group = i / 32;
        int run = i / 16;
        int l = i % 32;
        switch (Type)
        {
            case GgmlType.F32: return BitConverter.UInt32BitsToSingle((uint)Bits(0, 32));
            case GgmlType.F16: return Half(0);
            case GgmlType.BF16: return BitConverter.UInt32BitsToSingle((uint)Bits(0, 16) << 16);
            case GgmlType.Q4_0: return Half(0) * (Bits(16 + nibble, 4) - 8);
            case GgmlType.Q4_1: return (Half(0) * Bits(32 + nibble, 4)) + Half(16);
            case GgmlType.Q5_0: return Half(0) * (Bits(48 + nibble, 4) + (16 * Bits(16 + i, 1)) - 16);
            case GgmlType.Q5_1: return (Half(0) * (Bits(64 + nibble, 4) + (16 * Bits(32 + i, 1)))) + Half(16);
            case GgmlType.Q8_0: return Half(0) * Signed(Bits(16 + (8 * i), 8), 8);
            case GgmlType.IQ4_NL: return Half(0) * Uneven(Bits(16 + nibble, 4));
            case GgmlType.MXFP4: return Math.ScaleB(E2M1(Bits(8 + nibble, 4)), (int)Bits(0, 8) - 127);
            case GgmlType.Q2_K:
                return (Half(640) * Bits(8 * run, 4) * Bits(128 + Pair(i), 2)) - (Half(656) * Bits((8 * run) + 4, 4));
            case GgmlType.Q3_K:
                long scale3 = Bits(768 + (8 * (run % 8)) + (4 * (run / 8)), 4) + (16 * Bits(832 + (8 * (run % 4)) + (2 * (run / 4)), 2));
                return Half(864) * (scale3 - 32) * (Bits(256 + Pair(i), 2) + (4 * Bits((8 * l) + group, 1)) - 4);
            case GgmlType.Q4_K:
                return (Half(0) * Packed(32, group, 0) * Bits(128 + Half64(i), 4)) - (Half(16) * Packed(32, group, 1));
            case GgmlType.Q5_K:
                return (Half(0) * Packed(32, group, 0) * (Bits(384 + Half64(i), 4) + (16 * Bits(128 + (8 * l) + group, 1)))) - (Half(16) * Packed(32, group, 1));
            case GgmlType.Q6_K:
                long low = Bits((i / 128 * 512) + (8 * (i % 64)) + (4 * (i % 128 / 64)), 4);
                return Half(1664) * Signed(Bits(1536 + (8 * run), 8), 8) * (low + (16 * Bits(1024 + Pair(i), 2)) - 32);
            case GgmlType.IQ4_XS:
                long scale4 = Bits(32 + (4 * group), 4) + (16 * Bits(16 + (2 * group), 2)) - 32;
                return Half(0) * scale4 * Uneven(Bits(64 + (128 * group) + (8 * (l % 16)) + (4 * (l / 16)), 4));
            case GgmlType.IQ2_XXS:
                return Half(0) * (0.5 + Bits(16 + (64 * group) + 60, 4)) / 4
                    * Codebook.IQ2_XXS.Point((int)Bits(16 + (64 * group) + (8 * (l / 8)), 8))[i % 8]
                    * EvenSign(16 + (64 * group) + 32 + (7 * (l / 8)), i % 8);
            case GgmlType.IQ2_XS:
                return Half(0) * (0.5 + Bits(528 + (4 * run), 4)) / 4
                    * Codebook.IQ2_XS.Point((int)Bits(16 + (16 * (i / 8)), 9))[i % 8]
                    * EvenSign(16 + (16 * (i / 8)) + 9, i % 8);
            case GgmlType.IQ2_S:
                return Half(0) * (0.5 + Bits(592 + (4 * run), 4)) / 4
                    * Codebook.IQ2_S.Point((int)(Bits(16 + (8 * (i / 8)), 8) + (256 * Bits(528 + (2 * (i / 8)), 2))))[i % 8]
                    * (1 - (2 * Bits(272 + i, 1)));
            case GgmlType.IQ3_XXS:
                return Half(0) * (0.5 + Bits(528 + (32 * group) + 28, 4)) / 2
                    * Codebook.IQ3_XXS.Point((int)Bits(16 + (8 * (i / 4)), 8))[i % 4]
                    * EvenSign(528 + (32 * group) + (7 * (l / 8)), i % 8);
            case GgmlType.IQ3_S:
                return Half(0) * (1 + (2 * Bits(848 + (4 * group), 4)))
                    * Codebook.IQ3_S.Point((int)(Bits(16 + (8 * (i / 4)), 8) + (256 * Bits(528 + (i / 4), 1))))[i % 4]
                    * (1 - (2 * Bits(592 + i, 1)));
            case GgmlType.IQ1_S:
                return Half(0) * ((2 * Bits(272 + (16 * group) + 12, 3)) + 1)
                    * (Codebook.IQ1.Point((int)(Bits(16 + (8 * (i / 8)), 8) + (256 * Bits(272 + (16 * group) + (3 * (l / 8)), 3))))[i % 8]
                        + (Bits(272 + (16 * group) + 15, 1) == 0 ? 0.125 : -0.125));
            case GgmlType.IQ1_M:
                long d = Bits(396, 4) + (Bits(412, 4) << 4) + (Bits(428, 4) << 8) + (Bits(444, 4) << 12);
                return (double)BitConverter.UInt16BitsToHalf((ushort)d) * ((2 * Bits(384 + (16 * (run / 4)) + (3 * (run % 4)), 3)) + 1)
                    * (Codebook.IQ1.Point((int)(Bits(8 * (i / 8), 8) + (256 * Bits(256 + (4 * (i / 8)), 3))))[i % 8]
                        + (Bits(256 + (4 * (i / 8)) + 3, 1) == 0 ? 0.125 : -0.125));
            case GgmlType.TQ1_0:
                (long packed, int digit) = i switch
                {
                    < 160 => (Bits(8 * (i % 32), 8), i / 32),
                    < 240 => (Bits(256 + (8 * (i % 16)), 8), (i - 160) / 16),
                    _ => (Bits(384 + (8 * (i % 4)), 8), (i - 240) / 4),
                };
                double fraction = packed / 256.0;
                for (; digit > 0; digit--)
                    fraction = (3 * fraction) - Math.Floor(3 * fraction);
                return Half(416) * (Math.Floor(3 * fraction) - 1);
            case GgmlType.TQ2_0: return Half(512) * (Bits(Pair(i), 2) - 1);
            default: throw new ArgumentOutOfRangeException(nameof(i), Type, "no reference");
        }
    }

    private long Bits(int at, int count) => (long)((_bits >> at) & ((BigInteger.One << count) - 1));

    private double Half(int at) => (double)BitConverter.UInt16BitsToHalf((ushort)Bits(at, 16));

    private static long Signed(long value, int bits) => value >= 1L << (bits - 1) ? value - (1L << bits) : value;

    // Two bits a number: 128 numbers lie in 32 bytes, and 32 numbers side by side in one pair of bits of those.
    private static int Pair(int i) => (i / 128 * 256) + (8 * (i % 32)) + (2 * (i % 128 / 32));

    // Four bits a number: 64 numbers lie in 32 bytes, the first 32 in the low nibbles.
    private static int Half64(int i) => (i / 64 * 256) + (8 * (i % 32)) + (4 * (i % 64 / 32));

    /// <summary>A 6-bit scale (which = 0) or minimum (1) of Q4_K and Q5_K.</summary>
    private long Packed(int at, int group, int which) => group < 4
        ? Bits(at + (32 * which) + (8 * group), 6)
        : Bits(at + 64 + (8 * (group - 4)) + (4 * which), 4) + (16 * Bits(at + (32 * which) + (8 * (group - 4)) + 6, 2));

    private double EvenSign(int at, int j)
    {
        int minus = 0;
        for (int k = 0; k < 7; k++)
            minus += (int)Bits(at + k, 1);
        return (j < 7 ? Bits(at + j, 1) : minus % 2) == 0 ? 1 : -1;
    }

    private static double Uneven(long nibble) =>
        new double[] { -127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113 }[nibble];

    // A sign, two bits of exponent with bias 1, one of fraction.
    private static double E2M1(long nibble)
    {
        long exponent = (nibble >> 1) & 3;
        double magnitude = exponent == 0 ? 0.5 * (nibble & 1) : (1 + (0.5 * (nibble & 1))) * Math.Pow(2, exponent - 1);
        // ggml has one zero: nibble 8 is 0 and not −0.
        return magnitude != 0 && nibble >= 8 ? -magnitude : magnitude;
    }
}
