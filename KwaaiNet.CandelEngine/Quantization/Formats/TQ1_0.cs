using KwaaiNet.CandelEngine.Quantization.Blocks;
using KwaaiNet.CandelEngine.Tensors;

namespace KwaaiNet.CandelEngine.Quantization.Formats;

// Block, 54 bytes for 256 numbers of −1, 0 and 1. A byte holds five of them as the fraction byte / 256 in base 3: the first digit is
// byte · 3 / 256, the next comes of what is left.
//    0   u8[32]  number 32n + m is digit n of byte m, n < 5
//   32   u8[16]  number 160 + 16n + m is digit n of byte 32 + m, n < 5
//   48   u8[4]  number 240 + 4n + m is digit n of byte 48 + m, n < 4
//   52   f16  scale

/// <summary><see cref="GgmlType.TQ1_0"/>.</summary>
internal readonly struct TQ1_0 : IBlockFormat
{
    public static GgmlType Type => GgmlType.TQ1_0;

    private static ReadOnlySpan<byte> Powers => [1, 3, 9, 27, 81];

    public static void DecodeGroup(ReadOnlySpan<byte> block, int group, Span<float> values)
    {
        float scale = BlockBits.Half(block, 52);
        for (int l = 0; l < 32; l++)
        {
            (int at, int digit) = Place((32 * group) + l);
            int left = (block[at] * Powers[digit]) & 255;
            values[l] = (((left * 3) >> 8) - 1) * scale;
        }
    }

    public static void EncodeBlock(ReadOnlySpan<float> values, Span<byte> block, bool search)
    {
        float scale = BlockBits.WriteHalf(block, 52, search ? TQ2_0.BestScale(values) : Math.Abs(ScaleSearch.Extreme(values)));
        float inverse = ScaleSearch.Inverse(scale);
        Span<int> digits = stackalloc int[52];
        for (int i = 0; i < values.Length; i++)
        {
            (int at, int digit) = Place(i);
            digits[at] += (ScaleSearch.Round(values[i] * inverse, -1, 1) + 1) * Powers[4 - digit];
        }

        // The least fraction of 256 that is not below the digits' fraction of 243: its first five digits are these.
        for (int i = 0; i < digits.Length; i++)
            block[i] = (byte)(((digits[i] * 256) + 242) / 243);
    }

    /// <summary>The byte and the digit in which a number of the block lies.</summary>
    internal static (int Byte, int Digit) Place(int number) => number switch
    {
        < 160 => (number % 32, number / 32),
        < 240 => (32 + ((number - 160) % 16), (number - 160) / 16),
        _ => (48 + ((number - 240) % 4), (number - 240) / 4),
    };
}
