using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace KwaaiNet.CandelEngine.Compute.Cpu.Packed.Activations;

/// <summary>Brings float rows to the form that packed weights take: 32 columns share the scale <c>largest magnitude / levels</c>.</summary>
/// <remarks>
/// Elementwise float steps, an exact maximum and exact integer sums: the same bits at any vector width, and as the plain loops of
/// <see cref="Kernels.ScalarPackedKernels"/>. A block with a number that is not finite gets a scale that is not a number, so that the result says so.
/// </remarks>
internal static unsafe class ActivationQuantizer
{
    private const int Block = 32;
    private const float ByteLevels = 127;
    private const float ShortLevels = 32767;

    /// <summary>Brings one row into its slot.</summary>
    /// <param name="x">The row, padded with zeros to a multiple of 32.</param>
    /// <param name="columns">Numbers in it.</param>
    /// <param name="target">Where <see cref="ActivationRows.Reserve"/> made room.</param>
    /// <param name="row">Which row.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    internal static void Quantize(float* x, int columns, ActivationRows target, int row)
    {
        int tile = row / target.Slots;
        int slot = row % target.Slots;
        int slots = target.Slots;
        int* values = (int*)target.Tile(tile) + slot;
        if (target.Kind == ActivationKind.Single)
        {
            for (int c = 0; c < columns; c++) values[(long)c * slots] = BitConverter.SingleToInt32Bits(x[c]);
            return;
        }

        int* corrections = (int*)target.TileCorrections(tile) + slot;
        bool bytes = target.Kind == ActivationKind.Bytes;
        for (int block = 0; block < target.Blocks; block++, x += Block, corrections += ActivationRows.Corrections * slots)
        {
            float scale = Scale(x, bytes ? ByteLevels : ShortLevels, out float inverse);
            *corrections = BitConverter.SingleToInt32Bits(scale);
            Vector256<short> first = Integers(x, inverse);
            Vector256<short> second = Integers(x + 16, inverse);
            if (bytes)
            {
                WriteSums(Vector256.Sum(first), Vector256.Sum(second), scale, corrections, slots);
                Vector256<int> lines = Vector256.Narrow(first, second).AsInt32();
                Scatter(lines, values, slots);
                values += 8 * slots;
            }
            else
            {
                Scatter(first.AsInt32(), values, slots);
                Scatter(second.AsInt32(), values + (8 * slots), slots);
                values += 16 * slots;
            }
        }
    }

    /// <summary>The scale of 32 numbers, and what turns a number into its integer: 0 where all are 0.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static float Scale(float* x, float levels, out float inverse)
    {
        Vector256<float> a = Vector256.Load(x);
        Vector256<float> b = Vector256.Load(x + 8);
        Vector256<float> c = Vector256.Load(x + 16);
        Vector256<float> d = Vector256.Load(x + 24);
        Vector256<float> most = Vector256.MaxNative(
            Vector256.MaxNative(Vector256.Abs(a), Vector256.Abs(b)), Vector256.MaxNative(Vector256.Abs(c), Vector256.Abs(d)));
        Vector128<float> four = Vector128.MaxNative(most.GetLower(), most.GetUpper());
        Vector128<float> two = Vector128.MaxNative(four, Vector128.Shuffle(four, Vector128.Create(2, 3, 0, 1)));
        float largest = MathF.Max(two[0], two[1]);

        // Zero, unless a number is infinite or not a number: then not a number, whatever the maximum above made of it.
        Vector256<float> zero = ((a * 0f) + (b * 0f)) + ((c * 0f) + (d * 0f));
        if (!Vector256.EqualsAll(zero, Vector256<float>.Zero))
        {
            inverse = 0;
            return float.NaN;
        }

        inverse = levels / largest;
        if (float.IsFinite(inverse)) return largest / levels;

        inverse = 0; // all zero, or too small for a scale of their own
        return 0;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<short> Integers(float* x, float inverse) => Vector256.Narrow(
        Vector256.ConvertToInt32(Vector256.Round(Vector256.Load(x) * inverse)),
        Vector256.ConvertToInt32(Vector256.Round(Vector256.Load(x + 8) * inverse)));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Scatter(Vector256<int> lines, int* values, int slots)
    {
        if (slots == 1)
        {
            lines.Store(values);
            return;
        }

        for (int i = 0; i < 8; i++) values[i * ActivationRows.TileRows] = lines[i];
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void WriteSums(int first, int second, float scale, int* corrections, int slots)
    {
        corrections[slots] = 8 * (first + second);
        corrections[2 * slots] = BitConverter.SingleToInt32Bits(scale * (first + second));
        corrections[3 * slots] = (ushort)first | (second << 16);
    }
}
