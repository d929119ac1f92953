using System.Numerics.Tensors;

namespace KwaaiNet.CandelEngine.Quantization.Codebooks;

// Codebook.Steps.cs holds each table as text. Read the coordinates of a point as the digits of a number, the first the least, with as
// many digit values as the table has coordinate values: then the points of every table ascend. A character c stands for the next point,
// c − 34 beyond the one before (the first counts from −1); '~' stands for 92 more and no point.

/// <summary>The points that a codebook format picks from: a few hundred vectors of 4 or 8 coordinates.</summary>
/// <remarks>Source: the tables <c>iq2xxs_grid</c> … <c>iq1s_grid</c> of ggml-common.h, which define the formats.</remarks>
internal sealed partial class Codebook
{
    private readonly sbyte[] _coordinates;

    // For the search, coordinate by coordinate, and half the squared length of each point with a minus.
    private readonly float[][] _columns;
    private readonly float[] _lengths;

    private Codebook(int count, int dimensions, ReadOnlySpan<sbyte> values, string steps)
    {
        Count = count;
        Dimensions = dimensions;
        _coordinates = new sbyte[count * dimensions];
        int number = -1;
        int at = 0;
        foreach (char c in steps)
        {
            if (c == '~')
            {
                number += 92;
                continue;
            }

            number += c - 34;
            for (int left = number, i = 0; i < dimensions; i++, left /= values.Length)
                _coordinates[at++] = values[left % values.Length];
        }

        Largest = values[^1];
        _columns = new float[dimensions][];
        _lengths = new float[count];
        for (int i = 0; i < dimensions; i++)
        {
            _columns[i] = new float[count];
            for (int point = 0; point < count; point++)
            {
                int coordinate = _coordinates[(point * dimensions) + i];
                _columns[i][point] = coordinate;
                _lengths[point] -= 0.5f * coordinate * coordinate;
            }
        }
    }

    /// <summary>256 points of eight coordinates.</summary>
    internal static Codebook IQ2_XXS { get; } = new(256, 8, [8, 25, 43], IQ2_XXSSteps);

    /// <summary>512 points of eight coordinates.</summary>
    internal static Codebook IQ2_XS { get; } = new(512, 8, [8, 25, 43], IQ2_XSSteps);

    /// <summary>1024 points of eight coordinates.</summary>
    internal static Codebook IQ2_S { get; } = new(1024, 8, [8, 25, 43], IQ2_SSteps);

    /// <summary>256 points of four coordinates.</summary>
    internal static Codebook IQ3_XXS { get; } = new(256, 4, [4, 12, 20, 28, 36, 44, 52, 62], IQ3_XXSSteps);

    /// <summary>512 points of four coordinates.</summary>
    internal static Codebook IQ3_S { get; } = new(512, 4, [1, 3, 5, 7, 9, 11, 13, 15], IQ3_SSteps);

    /// <summary>2048 points of eight coordinates, of IQ1_S and IQ1_M.</summary>
    internal static Codebook IQ1 { get; } = new(2048, 8, [-1, 0, 1], IQ1Steps);

    /// <summary>Points.</summary>
    internal int Count { get; }

    /// <summary>Coordinates of a point.</summary>
    internal int Dimensions { get; }

    /// <summary>The largest coordinate value.</summary>
    internal int Largest { get; }

    /// <summary>All coordinates, point after point.</summary>
    internal ReadOnlySpan<sbyte> Coordinates => _coordinates;

    /// <summary>A point's coordinates.</summary>
    internal ReadOnlySpan<sbyte> Point(int index) => _coordinates.AsSpan(index * Dimensions, Dimensions);

    /// <summary>The point nearest to a target; the first of several.</summary>
    /// <remarks>|t − g|² is least where t · g − |g|² / 2 is most. Added up coordinate by coordinate, so the same on every machine.</remarks>
    internal int Nearest(ReadOnlySpan<float> target)
    {
        Span<float> scores = stackalloc float[Count];
        _lengths.CopyTo(scores);
        for (int i = 0; i < Dimensions; i++)
            TensorPrimitives.MultiplyAdd(_columns[i], target[i], scores, scores);
        return TensorPrimitives.IndexOfMax<float>(scores);
    }
}
