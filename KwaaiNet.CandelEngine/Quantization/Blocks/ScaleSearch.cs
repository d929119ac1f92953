namespace KwaaiNet.CandelEngine.Quantization.Blocks;

/// <summary>Finds the scale of a run of numbers that leaves the least squared error when each is rounded to a multiple of it.</summary>
/// <remarks>
/// For given integers q the best scale is a least-squares fit, Σqx / Σq². So: try scales around the one that the largest number asks for,
/// round, fit, and keep the fit that explains most, (Σqx)² / Σq². Sums are in double and in order.
/// </remarks>
internal static class ScaleSearch
{
    // Scales tried on each side of the plain one, in steps of a tenth of a quantum at the extreme.
    private const int Steps = 12;

    /// <summary>The scale for integers <c>[least, most]</c>, negative where the run's extreme is to become <paramref name="least"/>.</summary>
    /// <param name="values">The run.</param>
    /// <param name="least">The smallest integer, below zero and at least as far from it as <paramref name="most"/>.</param>
    /// <param name="most">The largest integer.</param>
    /// <param name="search">Whether to search; else the scale comes from the extreme alone.</param>
    internal static float Signed(ReadOnlySpan<float> values, int least, int most, bool search)
    {
        float extreme = Extreme(values);
        float best = extreme / least;
        if (!search || extreme == 0)
            return best;
        double explained = -1;
        for (int step = -Steps; step <= Steps; step++)
        {
            float inverse = Inverse(extreme / (least - (0.1f * step)));
            double along = 0;
            double square = 0;
            foreach (float value in values)
            {
                int q = Round(value * inverse, least, most);
                along += (double)q * value;
                square += q * q;
            }

            if (square > 0 && along * along / square > explained)
            {
                explained = along * along / square;
                best = (float)(along / square);
            }
        }

        return best;
    }

    /// <summary>Scale and minimum for <c>scale · q − minimum</c>, q from 0 to <paramref name="most"/>; neither is negative.</summary>
    internal static (float Scale, float Minimum) Affine(ReadOnlySpan<float> values, int most, bool search)
    {
        float low = 0;
        float high = 0;
        foreach (float value in values)
        {
            low = Math.Min(low, value);
            high = Math.Max(high, value);
        }

        // Halved before subtracted: the difference of huge numbers of both signs is infinite.
        float plain = ((high / 2) - (low / 2)) / most * 2;
        (float Scale, float Minimum) best = (plain, -low);
        if (!search || plain == 0)
            return best;
        double least = Error(values, most, best.Scale, best.Minimum);
        for (int step = -Steps; step <= Steps; step++)
        {
            float inverse = Inverse((high - low) / (most + (0.1f * step)));
            (float scale, float minimum) = Fit(values, most, inverse, -low);
            double error = Error(values, most, scale, minimum);
            if (error < least)
            {
                least = error;
                best = (scale, minimum);
            }
        }

        return best;
    }

    /// <summary>The scale for the entries of a table, which ascends and whose first entry is its largest in magnitude.</summary>
    internal static float Table(ReadOnlySpan<float> values, ReadOnlySpan<sbyte> table, bool search)
    {
        float extreme = Extreme(values);
        float best = extreme / table[0];
        if (!search || extreme == 0)
            return best;
        double explained = -1;
        foreach (int end in (ReadOnlySpan<int>)[table[0], table[^1]])
        {
            for (int step = -Steps; step <= Steps; step++)
            {
                float inverse = Inverse(extreme / (end * (1 + (0.015f * step))));
                double along = 0;
                double square = 0;
                foreach (float value in values)
                {
                    int q = table[Nearest(table, value * inverse)];
                    along += (double)q * value;
                    square += q * q;
                }

                if (along * along / square > explained)
                {
                    explained = along * along / square;
                    best = (float)(along / square);
                }
            }
        }

        return best;
    }

    /// <summary>The place of the entry nearest to a number, in a table that ascends; the lower one of two.</summary>
    internal static int Nearest(ReadOnlySpan<sbyte> table, float value)
    {
        int place = 0;
        while (place + 1 < table.Length && value - table[place] > table[place + 1] - value)
            place++;
        return place;
    }

    /// <summary>Rounds to the nearest integer, half to even, within bounds. NaN, which only a vanished scale can make, is 0.</summary>
    internal static int Round(float value, int least, int most) => (int)Math.Clamp(float.IsNaN(value) ? 0 : MathF.Round(value), least, most);

    /// <summary>1 / scale; 0 where there is no finite one.</summary>
    internal static float Inverse(float scale) => float.IsFinite(1 / scale) ? 1 / scale : 0;

    /// <summary>The number of largest magnitude, with its sign; the first of several.</summary>
    internal static float Extreme(ReadOnlySpan<float> values)
    {
        float extreme = 0;
        foreach (float value in values)
        {
            if (Math.Abs(value) > Math.Abs(extreme))
                extreme = value;
        }

        return extreme;
    }

    // Least squares for scale and minimum together; where that makes the minimum negative, for the scale alone.
    private static (float Scale, float Minimum) Fit(ReadOnlySpan<float> values, int most, float inverse, float minimum)
    {
        double q1 = 0;
        double q2 = 0;
        double x1 = 0;
        double qx = 0;
        foreach (float value in values)
        {
            int q = Round((value + minimum) * inverse, 0, most);
            q1 += q;
            q2 += q * q;
            x1 += value;
            qx += (double)q * value;
        }

        double determinant = (values.Length * q2) - (q1 * q1);
        if (determinant > 0)
        {
            double scale = ((values.Length * qx) - (q1 * x1)) / determinant;
            double offset = ((q2 * x1) - (q1 * qx)) / determinant;
            if (offset <= 0 && scale >= 0)
                return ((float)scale, (float)-offset);
        }

        return q2 > 0 ? ((float)Math.Max(0, qx / q2), 0) : (0, minimum);
    }

    private static double Error(ReadOnlySpan<float> values, int most, float scale, float minimum)
    {
        float inverse = Inverse(scale);
        double error = 0;
        foreach (float value in values)
        {
            double off = ((double)scale * Round((value + minimum) * inverse, 0, most)) - minimum - value;
            error += off * off;
        }

        return error;
    }
}
