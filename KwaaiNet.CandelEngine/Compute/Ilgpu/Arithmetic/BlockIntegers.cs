using ILGPU;

namespace KwaaiNet.CandelEngine.Compute.Ilgpu.Arithmetic;

/// <summary>
/// A block of 32 numbers as integers: the largest magnitude becomes 127 (or 32767), and halves round to even, as on the cpu backend.
/// A block with an infinity or a NaN has NaN for its scale, so that what is computed from it shows it.
/// </summary>
internal static class BlockIntegers
{
    internal const float ByteLevels = 127;
    internal const float ShortLevels = 32767;

    // 1.5 · 2^23: what is added to it keeps no fraction.
    private const float Whole = 12582912f;

    internal static float Magnitude(float value) => Interop.IntAsFloat(Interop.FloatAsInt(value) & 0x7FFFFFFF);

    internal static bool IsFinite(float magnitude) => Interop.FloatAsInt(magnitude) < 0x7F800000;

    /// <summary>What numbers are multiplied by; 0 where they are all zero, too small for a scale, or not finite.</summary>
    internal static float Inverse(float levels, float largest, bool finite)
    {
        float inverse = levels / largest;
        return finite && IsFinite(Magnitude(inverse)) ? inverse : 0f;
    }

    internal static int Round(float value, float inverse)
    {
        float scaled = Rounded.Multiply(value, inverse);
        int whole = (int)Interop.FloatAsInt(Rounded.Add(scaled, Whole)) - 0x4B400000;
        return inverse == 0f ? 0 : whole; // 0 times infinity is no number
    }

    internal static BlockScale Scale(float largest, bool finite, float inverse, int sum)
    {
        BlockScale scale;
        scale.Scale = Scale(ByteLevels, largest, finite, inverse);
        scale.Sum = Rounded.Multiply(scale.Scale, sum);
        return scale;
    }

    internal static float ShortScale(float largest, bool finite, float inverse) => Scale(ShortLevels, largest, finite, inverse);

    private static float Scale(float levels, float largest, bool finite, float inverse)
    {
        if (!finite) return Interop.IntAsFloat(0x7FC00000u);

        return inverse == 0f ? 0f : largest / levels;
    }
}
