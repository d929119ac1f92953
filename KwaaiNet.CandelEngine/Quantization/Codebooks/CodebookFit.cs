using KwaaiNet.CandelEngine.Quantization.Blocks;

namespace KwaaiNet.CandelEngine.Quantization.Codebooks;

/// <summary>Fits points of a codebook, times a scale and signs, to runs of numbers.</summary>
internal static class CodebookFit
{
    /// <summary>Numbers that share a byte of signs.</summary>
    internal const int Eight = 8;

    // Scales tried, as parts of the one that brings a run's largest number to the book's largest coordinate.
    private static readonly float[] s_parts = [0.5f, 0.6f, 0.7f, 0.8f, 0.9f, 1f, 1.1f];

    /// <summary>Chooses points and signs for eight numbers.</summary>
    /// <param name="book">Points of 4 or 8 coordinates, none negative.</param>
    /// <param name="values">Eight numbers.</param>
    /// <param name="inverse">1 / scale.</param>
    /// <param name="even">Whether the number of minus signs must be even: if it is not, the smallest magnitude takes the wrong sign.</param>
    /// <param name="points">One point or two.</param>
    /// <returns>Bit j is set where number j is negative.</returns>
    internal static int Choose(Codebook book, ReadOnlySpan<float> values, float inverse, bool even, Span<int> points)
    {
        Span<float> target = stackalloc float[Eight];
        int signs = 0;
        int smallest = 0;
        for (int j = 0; j < Eight; j++)
        {
            target[j] = Math.Abs(values[j]) * inverse;
            if (values[j] < 0)
                signs |= 1 << j;
            if (target[j] < target[smallest])
                smallest = j;
        }

        if (even && int.PopCount(signs) % 2 != 0)
        {
            signs ^= 1 << smallest;
            target[smallest] = -target[smallest];
        }

        for (int p = 0; p < Eight / book.Dimensions; p++)
            points[p] = book.Nearest(target.Slice(p * book.Dimensions, book.Dimensions));
        return signs;
    }

    /// <summary>The scale for a run of numbers, a multiple of eight of them; never negative.</summary>
    internal static float Scale(Codebook book, ReadOnlySpan<float> values, bool even, bool search)
    {
        float plain = Math.Abs(ScaleSearch.Extreme(values)) / book.Largest;
        if (!search || plain == 0)
            return plain;
        Span<int> points = stackalloc int[2];
        float best = plain;
        double explained = -1;
        foreach (float part in s_parts)
        {
            float inverse = ScaleSearch.Inverse(plain * part);
            double along = 0;
            double square = 0;
            for (int at = 0; at < values.Length; at += Eight)
            {
                int signs = Choose(book, values.Slice(at, Eight), inverse, even, points);
                for (int j = 0; j < Eight; j++)
                {
                    int coordinate = book.Point(points[j / book.Dimensions])[j % book.Dimensions];
                    along += (double)coordinate * values[at + j] * BlockBits.Sign(signs, j);
                    square += coordinate * coordinate;
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

    /// <summary>The unit for scales stored as odd multiples of it, <c>2s + 1</c>, s from 0 to <paramref name="most"/>.</summary>
    /// <param name="scales">The scales, none negative.</param>
    /// <param name="most">The largest s.</param>
    internal static float Unit(ReadOnlySpan<float> scales, int most) => ScaleSearch.Extreme(scales) / ((2 * most) + 1);

    /// <summary>The s for which <c>(2s + 1) · unit</c> is nearest to a scale.</summary>
    internal static int Code(float scale, float unit, int most) => ScaleSearch.Round(((scale * ScaleSearch.Inverse(unit)) - 1) / 2, 0, most);
}
