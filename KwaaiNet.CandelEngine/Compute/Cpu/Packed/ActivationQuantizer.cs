using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace KwaaiNet.CandelEngine.Compute.Cpu.Packed;

/// <summary>Brings float rows to the form that packed weights take: 32 columns share the scale <c>largest magnitude / levels</c>.</summary>
/// <remarks>
/// Elementwise float steps, an exact maximum and exact integer sums: the same bits at any vector width, and as the plain loops of
/// <see cref="Kernels.ScalarPackedKernels"/>. A block with a number that is not finite gets a scale that is not a number, so that the result says so.
/// </remarks>
internal static unsafe class ActivationQuantizer
{
    internal const float ByteLevels = 127;
    internal const float ShortLevels = 32767;

    /// <summary>Brings one row into its slot.</summary>
    /// <param name="x">The row, padded with zeros to a multiple of 32.</param>
    /// <param name="columns">Numbers in it.</param>
    /// <param name="target">Where <see cref="ActivationRows.Reserve"/> made room.</param>
    /// <param name="row">Which row.</param>
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
        int* integers = stackalloc int[32];
        for (int block = 0; block < target.Blocks; block++, x += 32, corrections += ActivationRows.Corrections * slots)
        {
            float scale = QuantizeBlock(x, bytes ? ByteLevels : ShortLevels, integers);
            corrections[0] = BitConverter.SingleToInt32Bits(scale);
            if (bytes)
            {
                values = WriteBytes(integers, values, slots);
                WriteSums(integers, scale, corrections, slots);
            }
            else
            {
                values = WriteShorts(integers, values, slots);
            }
        }
    }

    /// <summary>Turns 32 numbers into integers; returns their scale.</summary>
    private static float QuantizeBlock(float* x, float levels, int* integers)
    {
        Vector256<float> most = Vector256<float>.Zero;
        Vector256<float> zero = Vector256<float>.Zero;
        for (int i = 0; i < 32; i += 8)
        {
            Vector256<float> value = Vector256.Load(x + i);
            most = Vector256.Max(most, Vector256.Abs(value));
            zero += value * Vector256<float>.Zero; // not a number as soon as one is infinite or none
        }

        float largest = 0;
        for (int i = 0; i < 8; i++) largest = MathF.Max(largest, most[i]);
        if (Vector256.EqualsAll(zero, Vector256<float>.Zero) && largest > 0)
        {
            float inverse = levels / largest;
            if (float.IsFinite(inverse))
            {
                for (int i = 0; i < 32; i += 8)
                    Vector256.ConvertToInt32(Vector256.Round(Vector256.Load(x + i) * Vector256.Create(inverse))).Store(integers + i);
                return largest / levels;
            }
        }

        new Span<int>(integers, 32).Clear();
        return Vector256.EqualsAll(zero, Vector256<float>.Zero) ? 0 : float.NaN;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static int* WriteBytes(int* integers, int* values, int slots)
    {
        for (int i = 0; i < 32; i += 4, values += slots)
            *values = (byte)integers[i] | ((byte)integers[i + 1] << 8) | ((byte)integers[i + 2] << 16) | (integers[i + 3] << 24);
        return values;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static int* WriteShorts(int* integers, int* values, int slots)
    {
        for (int i = 0; i < 32; i += 2, values += slots) *values = (ushort)integers[i] | (integers[i + 1] << 16);
        return values;
    }

    private static void WriteSums(int* integers, float scale, int* corrections, int slots)
    {
        int first = 0;
        int second = 0;
        for (int i = 0; i < 16; i++)
        {
            first += integers[i];
            second += integers[16 + i];
        }

        corrections[slots] = 8 * (first + second);
        corrections[2 * slots] = BitConverter.SingleToInt32Bits(scale * (first + second));
        corrections[3 * slots] = (ushort)first | (second << 16);
    }
}
