using KwaaiNet.CandelEngine.Compute.Cpu.Lanes;
using KwaaiNet.CandelEngine.Models;

namespace KwaaiNet.CandelEngine.Compute.Blocks;

/// <summary>Which experts run for a position, and with what weights. On the host, in one order, for every backend.</summary>
internal static class ExpertChoice
{
    /// <summary>Softmax over the router's logits; the most probable experts, of equals the one of the lowest number, in the order of their numbers.</summary>
    /// <param name="experts">How many there are, how many run, and whether their weights are made to sum to 1.</param>
    /// <param name="logits">The router's logits, <c>[Count]</c>; overwritten with probabilities. NaN counts as the least.</param>
    /// <param name="chosen">Receives the experts' numbers, ascending, <c>[Used]</c>.</param>
    /// <param name="weights">Receives their weights, <c>[Used]</c>.</param>
    internal static void Choose(ExpertShape experts, Span<float> logits, Span<int> chosen, Span<float> weights)
    {
        Softmax(logits);
        for (int i = 0; i < experts.Used; i++)
        {
            int best = -1;
            for (int expert = 0; expert < experts.Count; expert++)
            {
                if (!chosen[..i].Contains(expert) && (best < 0 || logits[expert] > logits[best])) best = expert;
            }

            chosen[i] = best;
        }

        chosen[..experts.Used].Sort();
        float sum = 0;
        for (int i = 0; i < experts.Used; i++)
        {
            weights[i] = logits[chosen[i]];
            sum += weights[i];
        }

        if (!experts.NormalizeWeights) return;

        for (int i = 0; i < experts.Used; i++) weights[i] /= sum;
    }

    private static void Softmax(Span<float> logits)
    {
        float most = float.NegativeInfinity;
        foreach (float logit in logits) most = logit > most ? logit : most;
        float sum = 0;
        for (int i = 0; i < logits.Length; i++)
        {
            logits[i] = Exponential.Of(logits[i] - most);
            sum += logits[i];
        }

        for (int i = 0; i < logits.Length; i++) logits[i] /= sum;
    }
}
