using KwaaiNet.CandelEngine.Models;

namespace KwaaiNet.CandelEngine.Compute.Llama;

/// <summary>
/// Cosines and sines of rotary position embedding: pair i of a head turns by <c>position · base^(−2i / RopeSize) / divisor_i</c>.
/// Computed in double on the host for every backend, so that backends turn by the same angles.
/// </summary>
/// <remarks>Source: Su et al., "RoFormer", arXiv:2104.09864; divisors as Llama 3.1 scales its frequencies.</remarks>
internal sealed class RopeAngles
{
    private readonly double[] _frequencies;

    internal RopeAngles(ModelShape shape, ReadOnlySpan<float> divisors)
    {
        _frequencies = new double[shape.RopeSize / 2];
        for (int i = 0; i < _frequencies.Length; i++)
        {
            _frequencies[i] = Math.Pow(shape.RopeBase, -2.0 * i / shape.RopeSize);
            if (!divisors.IsEmpty) _frequencies[i] /= divisors[i];
        }
    }

    /// <summary>Numbers of one position: a cosine and a sine for each pair.</summary>
    internal int Length => _frequencies.Length * 2;

    /// <summary>Writes cosine and sine of every pair, interleaved.</summary>
    /// <param name="position">The position, from 0.</param>
    /// <param name="angles"><c>[RopeSize / 2, 2]</c>.</param>
    internal void Write(int position, Span<float> angles)
    {
        for (int i = 0; i < _frequencies.Length; i++)
        {
            (double sine, double cosine) = Math.SinCos(position * _frequencies[i]);
            angles[2 * i] = (float)cosine;
            angles[(2 * i) + 1] = (float)sine;
        }
    }
}
