namespace KwaaiNet.CandelEngine.Sampling.Stages;

/// <summary>Nucleus sampling: keeps the fewest most likely tokens whose weights reach a share of the total, best first.</summary>
internal sealed class TopP : ICandidateStage
{
    /// <inheritdoc/>
    public void Apply(Candidates candidates, SamplingParameters parameters)
    {
        if (parameters.TopP >= 1)
            return;
        double total = candidates.Total;
        double wanted = parameters.TopP * total;
        // Tokens below (1 - p) / n of the total weigh less than 1 - p together, so all of the nucleus is above: the rest need no sorting.
        // The last factor covers what rounding in the total may have added: the best candidate must never fall.
        double threshold = total * (1 - (double)parameters.TopP) / candidates.Count * (1 - 1e-9);
        Span<ulong> keys = candidates.Keys;
        Span<double> weights = candidates.Weights;
        int count = 0;
        for (int i = 0; i < keys.Length; i++)
        {
            if (!(weights[i] >= threshold))
                continue;
            keys[count] = keys[i];
            weights[count++] = weights[i];
        }

        keys[..count].Sort(weights[..count]);
        int kept = 0;
        double reached = 0;
        while (kept < count && (kept == 0 || reached < wanted))
            reached += weights[kept++];
        candidates.Keep(kept);
    }
}
