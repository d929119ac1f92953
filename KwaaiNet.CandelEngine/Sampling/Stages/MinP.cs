namespace KwaaiNet.CandelEngine.Sampling.Stages;

/// <summary>Keeps the tokens at least as likely as a share of the best candidate's probability.</summary>
internal sealed class MinP : ICandidateStage
{
    /// <inheritdoc/>
    public void Apply(Candidates candidates, SamplingParameters parameters)
    {
        if (parameters.MinP <= 0)
            return;
        Span<ulong> keys = candidates.Keys;
        Span<double> weights = candidates.Weights;
        double best = 0;
        foreach (double weight in weights)
            best = Math.Max(best, weight);
        double least = parameters.MinP * best;
        int count = 0;
        for (int i = 0; i < keys.Length; i++)
        {
            if (!(weights[i] >= least))
                continue;
            keys[count] = keys[i];
            weights[count++] = weights[i];
        }

        candidates.Keep(count);
    }
}
