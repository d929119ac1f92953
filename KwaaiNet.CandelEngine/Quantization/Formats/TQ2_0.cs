using System.Numerics.Tensors;
using KwaaiNet.CandelEngine.Quantization.Blocks;
using KwaaiNet.CandelEngine.Tensors;

namespace KwaaiNet.CandelEngine.Quantization.Formats;

// Block, 66 bytes for 256 numbers of −1, 0, 1 and 2:
//    0   u8[64]  two bits a number: number 128h + 32s + l is bits 2s, 2s + 1 of byte 32h + l, plus 1
//   64   f16  scale

/// <summary><see cref="GgmlType.TQ2_0"/>.</summary>
internal readonly struct TQ2_0 : IBlockFormat
{
    public static GgmlType Type => GgmlType.TQ2_0;

    public static void DecodeGroup(ReadOnlySpan<byte> block, int group, Span<float> values)
    {
        float scale = BlockBits.Half(block, 64);
        ReadOnlySpan<byte> bits = block.Slice(group / 4 * 32, 32);
        int shift = group % 4 * 2;
        for (int l = 0; l < 32; l++)
            values[l] = (((bits[l] >> shift) & 3) - 1) * scale;
    }

    /// <summary>
    /// The best scale for −1, 0 and 1: if the k numbers of largest magnitude are not 0, their mean magnitude is the best scale and
    /// explains (Σ|x|)² / k; the best k is found by trying all.
    /// </summary>
    public static void EncodeBlock(ReadOnlySpan<float> values, Span<byte> block, bool search)
    {
        float scale = BlockBits.WriteHalf(block, 64, search ? BestScale(values) : Math.Abs(ScaleSearch.Extreme(values)));
        float inverse = ScaleSearch.Inverse(scale);
        for (int i = 0; i < values.Length; i++)
        {
            int number = ScaleSearch.Round(values[i] * inverse, -1, 1) + 1;
            block[(i / 128 * 32) + (i % 32)] |= (byte)(number << (i % 128 / 32 * 2));
        }
    }

    /// <summary>The scale for which −1, 0 and 1 leave the least squared error.</summary>
    internal static float BestScale(ReadOnlySpan<float> values)
    {
        Span<float> magnitudes = stackalloc float[256];
        TensorPrimitives.Abs(values, magnitudes);
        magnitudes.Sort();
        double sum = 0;
        double explained = 0;
        float best = 0;
        for (int k = 1; k <= magnitudes.Length; k++)
        {
            sum += magnitudes[^k];
            if (sum * sum / k > explained)
            {
                explained = sum * sum / k;
                best = (float)(sum / k);
            }
        }

        return best;
    }
}
