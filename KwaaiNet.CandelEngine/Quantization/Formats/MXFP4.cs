using KwaaiNet.CandelEngine.Quantization.Blocks;
using KwaaiNet.CandelEngine.Tensors;

namespace KwaaiNet.CandelEngine.Quantization.Formats;

// Block, 17 bytes for 32 numbers:
//   0   u8  e: the scale is 2^(e − 127)
//   1   u8[16]  byte j: number j in the low nibble, number j + 16 in the high one; a sign, two bits of exponent, one of fraction (E2M1)
// Source: OCP Microscaling Formats (MX) Specification 1.0. e = 255, which it calls NaN, is 2^128 here as in ggml.

/// <summary><see cref="GgmlType.MXFP4"/>.</summary>
internal readonly struct MXFP4 : IBlockFormat
{
    public static GgmlType Type => GgmlType.MXFP4;

    /// <summary>Twice what nibbles stand for, which makes whole numbers of them.</summary>
    internal static ReadOnlySpan<sbyte> Doubled => [0, 1, 2, 3, 4, 6, 8, 12, 0, -1, -2, -3, -4, -6, -8, -12];

    public static void DecodeGroup(ReadOnlySpan<byte> block, int group, Span<float> values)
    {
        float scale = HalfScale(block[0]);
        for (int j = 0; j < 16; j++)
        {
            int pair = block[1 + j];
            values[j] = Doubled[pair & 15] * scale;
            values[j + 16] = Doubled[pair >> 4] * scale;
        }
    }

    /// <summary>The scale is a power of two: the one that brings the largest magnitude within 4 … 8, or where the error is less a neighbour.</summary>
    public static void EncodeBlock(ReadOnlySpan<float> values, Span<byte> block, bool search)
    {
        float extreme = Math.Abs(ScaleSearch.Extreme(values));
        if (extreme == 0)
            return;
        int plain = Math.Clamp(Math.ILogB(extreme) - 2 + 127, 0, 254);
        int best = plain;
        double least = double.PositiveInfinity;
        for (int e = Math.Max(0, plain - 1); search && e <= Math.Min(254, plain + 1); e++)
        {
            double error = 0;
            foreach (float value in values)
            {
                double off = ((double)HalfScale(e) * Doubled[Nearest(value, e)]) - value;
                error += off * off;
            }

            if (error < least)
                (best, least) = (e, error);
        }

        block[0] = (byte)best;
        for (int j = 0; j < 16; j++)
            block[1 + j] = (byte)(Nearest(values[j], best) | (Nearest(values[j + 16], best) << 4));
    }

    private static int Nearest(float value, int e)
    {
        float magnitude = Math.Abs(value) / HalfScale(e);
        int place = ScaleSearch.Nearest(Doubled[..8], magnitude);
        return value < 0 && place > 0 ? place | 8 : place;
    }

    /// <summary>2^(e − 128), half the scale: subnormal for 0 and 1.</summary>
    internal static float HalfScale(int e) => BitConverter.Int32BitsToSingle(e < 2 ? 0x00200000 << e : (e - 1) << 23);
}
