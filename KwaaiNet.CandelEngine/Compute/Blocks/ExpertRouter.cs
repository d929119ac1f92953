using KwaaiNet.CandelEngine.Compute.Cpu.Lanes;
using KwaaiNet.CandelEngine.Models;

namespace KwaaiNet.CandelEngine.Compute.Blocks;

/// <summary>Turns a router's logits into the experts to run and their weights: a few numbers a row, on the host for every backend.</summary>
internal static class ExpertRouter
{
    // A sum of weights below it counts as it: the smallest normal binary16, as in the models' own code.
    private const float LeastSum = 6.103515625e-5f;

    /// <summary>Picks the most probable experts; of equals the one of the lowest number.</summary>
    /// <param name="logits">The router's, <c>[Count]</c>.</param>
    /// <param name="experts">How many there are and run.</param>
    /// <param name="picks">Numbers of the experts to run, ascending, <c>[Used]</c>. Distinct and within range whatever the logits are, NaN included.</param>
    /// <param name="weights">What each one's output is multiplied by, <c>[Used]</c>.</param>
    internal static void Pick(ReadOnlySpan<float> logits, ExpertShape experts, Span<int> picks, Span<float> weights)
    {
        for (int n = 0; n < picks.Length; n++)
        {
            int best = -1;
            for (int e = 0; e < experts.Count; e++)
            {
                if (!picks[..n].Contains(e) && (best < 0 || logits[e] > logits[best])) best = e;
            }

            picks[n] = best;
        }

        picks.Sort();

        float most = float.NegativeInfinity;
        foreach (float logit in logits) most = MathF.Max(most, logit);
        float all = 0;
        foreach (float logit in logits) all += Exponential.Of(logit - most);

        float used = 0;
        for (int n = 0; n < picks.Length; n++)
        {
            weights[n] = Exponential.Of(logits[picks[n]] - most) / all;
            used += weights[n];
        }

        if (!experts.NormalizeWeights) return;

        used = MathF.Max(used, LeastSum);
        for (int n = 0; n < weights.Length; n++) weights[n] /= used;
    }
}
