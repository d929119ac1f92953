using KwaaiNet.CandelEngine.Models;
using KwaaiNet.CandelEngine.Tensors;

namespace KwaaiNet.CandelEngine.Tests.Compute;

/// <summary>Rotary position embedding from its papers' formulas, in double precision.</summary>
internal sealed class ReferenceRope(ModelFile model)
{
    private readonly ModelShape _shape = model.Shape;

    /// <summary>Turns every head of a block's queries or keys.</summary>
    public double[] Turn(double[] heads, int block, int position)
    {
        if (_shape.AttentionOf(block).Rope is not { } rope) return heads;

        double[] turned = [.. heads];
        int pairs = _shape.RopeSize / 2;
        double magnitude = rope.Scaling?.Magnitude ?? 1;
        for (int start = 0; start < heads.Length; start += _shape.HeadSize)
        {
            for (int i = 0; i < pairs; i++)
            {
                int first = start + (_shape.RopeStyle == RopeStyle.Halves ? i : 2 * i);
                int second = _shape.RopeStyle == RopeStyle.Halves ? first + pairs : first + 1;
                double angle = position * Frequency(rope, i);
                (turned[first], turned[second]) = (
                    magnitude * ((heads[first] * Math.Cos(angle)) - (heads[second] * Math.Sin(angle))),
                    magnitude * ((heads[first] * Math.Sin(angle)) + (heads[second] * Math.Cos(angle))));
            }
        }

        return turned;
    }

    private double Frequency(RopeSettings rope, int pair)
    {
        double frequency = Math.Pow(rope.Base, -2.0 * pair / _shape.RopeSize) / Divisor(pair);
        if (rope.Scaling is not { } scaling) return frequency;
        if (scaling.YarnShare == 0) return frequency / scaling.Factor;

        // Pairs whose own frequency makes more than BetaFast turns keep it; less than BetaSlow, and it is divided by the factor.
        double fast = Math.Max(0, Math.Floor(PairOf(scaling.BetaFast)));
        double slow = Math.Min(_shape.RopeSize - 1, Math.Ceiling(PairOf(scaling.BetaSlow)));
        double interpolated = Math.Min(1, Math.Max(0, (pair - fast) / Math.Max(0.001, slow - fast)));
        return (frequency * (1 - interpolated)) + (frequency / scaling.Factor * interpolated);

        double PairOf(double turns) => _shape.RopeSize * Math.Log(scaling.OriginalContext / (turns * 2 * Math.PI)) / (2 * Math.Log(rope.Base));
    }

    private double Divisor(int pair)
    {
        string longOrShort = _shape.ContextLength > _shape.RopeScaling?.OriginalContext ? "long" : "short";
        foreach (string name in new[] { "rope_freqs.weight", $"rope_factors_{longOrShort}.weight" })
        {
            if (!model.TryGetTensor(name, out TensorData tensor)) continue;

            Assert.Equal(GgmlType.F32, tensor.Type);
            return BitConverter.ToSingle(tensor.Bytes[(4 * pair)..]);
        }

        return 1;
    }
}
