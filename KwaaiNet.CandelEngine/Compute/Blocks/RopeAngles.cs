using KwaaiNet.CandelEngine.Models;

namespace KwaaiNet.CandelEngine.Compute.Blocks;

/// <summary>
/// Cosines and sines of rotary position embedding, for every kind of rotation that a model's blocks have: pair i of a head turns by
/// <c>position · base^(−2i / RopeSize) / divisor_i</c>, stretched as <see cref="RopeScaling"/> says.
/// Computed in double on the host for every backend, so that backends turn by the same angles.
/// </summary>
/// <remarks>Sources: Su et al., "RoFormer", arXiv:2104.09864; divisors as Llama 3.1 scales its frequencies; YaRN, arXiv:2309.00071.</remarks>
internal sealed class RopeAngles
{
    private readonly Rotation[] _rotations;
    private readonly int[] _offsets;
    private readonly int _ropeSize;

    internal RopeAngles(ModelShape shape, ReadOnlySpan<float> divisors)
    {
        _ropeSize = shape.RopeSize;
        List<RopeSettings> kinds = [];
        _offsets = new int[shape.BlockCount];
        for (int block = 0; block < _offsets.Length; block++)
        {
            RopeSettings? settings = shape.AttentionOf(block).Rope;
            if (settings is not null && !kinds.Contains(settings)) kinds.Add(settings);
            _offsets[block] = settings is null ? -1 : kinds.IndexOf(settings) * _ropeSize;
        }

        _rotations = new Rotation[kinds.Count];
        for (int i = 0; i < _rotations.Length; i++) _rotations[i] = new Rotation(kinds[i], _ropeSize, divisors);
    }

    /// <summary>Numbers of one position: a cosine and a sine for each pair, for each kind of rotation. 0 when no block turns.</summary>
    internal int Length => _rotations.Length * _ropeSize;

    /// <summary>Where a block's angles start among one position's; negative when the block does not turn queries and keys.</summary>
    /// <param name="block">The block, counted in the model.</param>
    internal int OffsetOf(int block) => _offsets[block];

    /// <summary>Writes cosine and sine of every pair, interleaved.</summary>
    /// <param name="position">The position, from 0.</param>
    /// <param name="angles"><c>[kinds, RopeSize / 2, 2]</c>.</param>
    internal void Write(int position, Span<float> angles)
    {
        for (int i = 0; i < _rotations.Length; i++) _rotations[i].Write(position, angles.Slice(i * _ropeSize, _ropeSize));
    }

    private sealed class Rotation
    {
        private readonly double[] _frequencies;
        private readonly double _magnitude;

        public Rotation(RopeSettings settings, int size, ReadOnlySpan<float> divisors)
        {
            RopeScaling scaling = settings.Scaling ?? new RopeScaling();
            _magnitude = scaling.Magnitude;
            _frequencies = new double[size / 2];
            for (int i = 0; i < _frequencies.Length; i++)
            {
                double own = Math.Pow(settings.Base, -2.0 * i / size);
                if (!divisors.IsEmpty) own /= divisors[i];
                double share = scaling.YarnShare == 0 ? 0 : scaling.YarnShare * ShareOfOwn(i, settings.Base, scaling, size);
                _frequencies[i] = share == 0 && scaling.Factor == 1 ? own : (own / scaling.Factor * (1 - share)) + (own * share);
            }
        }

        public void Write(int position, Span<float> angles)
        {
            for (int i = 0; i < _frequencies.Length; i++)
            {
                (double sine, double cosine) = Math.SinCos(position * _frequencies[i]);
                angles[2 * i] = (float)(cosine * _magnitude);
                angles[(2 * i) + 1] = (float)(sine * _magnitude);
            }
        }

        // YaRN's ramp: 1 up to the pair that turns BetaFast times within the original context, 0 from the one that turns BetaSlow times.
        private static double ShareOfOwn(int pair, double ropeBase, RopeScaling scaling, int size)
        {
            double low = Math.Max(0, Math.Floor(PairThatTurns(scaling.BetaFast)));
            double high = Math.Min(size - 1, Math.Ceiling(PairThatTurns(scaling.BetaSlow)));
            return 1 - Math.Clamp((pair - low) / Math.Max(0.001, high - low), 0, 1);

            double PairThatTurns(double times) => size * Math.Log(scaling.OriginalContext / (times * 2 * Math.PI)) / (2 * Math.Log(ropeBase));
        }
    }
}
