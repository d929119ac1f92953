using KwaaiNet.CandelEngine.Quantization.Blocks;

namespace KwaaiNet.CandelEngine.Quantization.Codebooks;

/// <summary>Fits points of IQ1's codebook, shifted by ±⅛ and times a scale, to runs of numbers.</summary>
internal static class ShiftedFit
{
    /// <summary>How far a group's points are shifted, one way or the other, before their scale.</summary>
    internal const float PointShift = 0.125f;

    private const int Eight = 8;

    // Scales tried, as parts of the run's largest magnitude.
    private static readonly float[] s_parts = [0.35f, 0.45f, 0.55f, 0.65f, 0.75f, 0.85f, 1f];

    /// <summary>The nearest point to eight numbers, and by how much squared error it misses them.</summary>
    internal static (int Point, double Error) Choose(ReadOnlySpan<float> values, float scale, float shift)
    {
        Span<float> target = stackalloc float[Eight];
        float inverse = ScaleSearch.Inverse(scale);
        for (int j = 0; j < Eight; j++)
            target[j] = (values[j] * inverse) - shift;
        int point = Codebook.IQ1.Nearest(target);
        double error = 0;
        for (int j = 0; j < Eight; j++)
        {
            double off = ((double)scale * (Codebook.IQ1.Point(point)[j] + shift)) - values[j];
            error += off * off;
        }

        return (point, error);
    }

    /// <summary>The scale and shift for a run of numbers; <paramref name="run"/> of them share a shift.</summary>
    internal static float Scale(ReadOnlySpan<float> values, int run, bool search)
    {
        float extreme = Math.Abs(ScaleSearch.Extreme(values));
        if (!search || extreme == 0)
            return extreme;
        float best = extreme;
        double explained = -1;
        foreach (float part in s_parts)
        {
            double along = 0;
            double square = 0;
            for (int at = 0; at < values.Length; at += run)
            {
                ReadOnlySpan<float> numbers = values.Slice(at, run);
                float shift = Shift(numbers, extreme * part);
                for (int i = 0; i < run; i += Eight)
                {
                    (int point, _) = Choose(numbers.Slice(i, Eight), extreme * part, shift);
                    for (int j = 0; j < Eight; j++)
                    {
                        double level = Codebook.IQ1.Point(point)[j] + shift;
                        along += level * numbers[i + j];
                        square += level * level;
                    }
                }
            }

            if (along > 0 && along * along / square > explained)
            {
                explained = along * along / square;
                best = (float)(along / square);
            }
        }

        return best;
    }

    /// <summary>The better of the two shifts for a run.</summary>
    internal static float Shift(ReadOnlySpan<float> values, float scale)
    {
        double up = 0;
        double down = 0;
        for (int i = 0; i < values.Length; i += Eight)
        {
            up += Choose(values.Slice(i, Eight), scale, PointShift).Error;
            down += Choose(values.Slice(i, Eight), scale, -PointShift).Error;
        }

        return down < up ? -PointShift : PointShift;
    }
}
