namespace KwaaiNet.ModelLab.Measurement;

/// <summary>The logits after one token, in brief.</summary>
/// <param name="Position">The token's position in the prompt.</param>
/// <param name="Best">The ids of the five greatest, in order.</param>
/// <param name="BestLogits">Their logits.</param>
/// <param name="Samples">Every sixteenth logit, from id 0.</param>
/// <param name="Mean">The mean over the vocabulary.</param>
/// <param name="Norm">The root of the mean square over the vocabulary.</param>
internal sealed record PositionLogits(int Position, int[] Best, float[] BestLogits, float[] Samples, float Mean, float Norm)
{
    private const int Kept = 5;
    private const int Stride = 16;

    /// <summary>Sums a row of logits up.</summary>
    public static PositionLogits Of(int position, float[] logits)
    {
        int[] best = [.. Enumerable.Range(0, logits.Length).OrderByDescending(id => logits[id]).Take(Kept)];
        return new(
            position,
            best,
            [.. best.Select(id => logits[id])],
            [.. logits.Where((_, id) => id % Stride == 0)],
            (float)logits.Average(logit => (double)logit),
            (float)Math.Sqrt(logits.Average(logit => (double)logit * logit)));
    }

    /// <summary>The greatest difference between these figures and another row's.</summary>
    public float Distance(float[] logits)
    {
        PositionLogits other = Of(Position, logits);
        return Best.Select((id, i) => MathF.Abs(BestLogits[i] - logits[id]))
            .Concat(Samples.Zip(other.Samples, (a, b) => MathF.Abs(a - b)))
            .Append(MathF.Abs(Mean - other.Mean))
            .Append(MathF.Abs(Norm - other.Norm))
            .Select(difference => float.IsNaN(difference) ? float.PositiveInfinity : difference)
            .Max();
    }
}
