namespace KwaaiNet.CandelEngine.Sampling.Stages;

/// <summary>Locally typical sampling: keeps the tokens whose surprise, −ln p, is nearest to the entropy until their weights reach a share of the total.</summary>
/// <remarks>Equals go by falling logit, then rising id. What is kept is left sorted, best first.</remarks>
internal sealed class Typical : ICandidateStage
{
    private Ranked[] _ranked = [];

    /// <inheritdoc/>
    public void Apply(Candidates candidates, SamplingParameters parameters)
    {
        if (parameters.TypicalP >= 1)
            return;
        Span<ulong> keys = candidates.Keys;
        Span<double> weights = candidates.Weights;
        if (_ranked.Length < keys.Length)
            _ranked = new Ranked[keys.Length];

        double logTotal = PortableLogarithm.Log(candidates.Total);
        double entropy = 0;
        int count = 0;
        for (int i = 0; i < keys.Length; i++)
        {
            // 0 ln 0 is 0, and what cannot be drawn is not typical.
            if (weights[i] == 0)
                continue;
            double surprise = logTotal - candidates.LogWeightAt(i);
            entropy += weights[i] / candidates.Total * surprise;
            _ranked[count++] = new Ranked(surprise, keys[i], weights[i]);
        }

        // Nearer than the entropy itself are few tokens of many. When they suffice, which is nearly always, the others need no sorting.
        Span<Ranked> ranked = _ranked.AsSpan(0, count);
        int near = 0;
        double nearWeight = 0;
        for (int i = 0; i < count; i++)
        {
            Ranked token = ranked[i] with { Distance = Math.Abs(ranked[i].Distance - entropy) };
            ranked[i] = token;
            if (token.Distance > entropy)
                continue;
            (ranked[i], ranked[near]) = (ranked[near], token);
            near++;
            nearWeight += token.Weight;
        }

        double wanted = parameters.TypicalP * candidates.Total;
        // The margin is for sums whose order differs.
        if (nearWeight * (1 - 1e-9) > wanted)
            ranked = ranked[..near];
        ranked.Sort();
        double reached = 0;
        int kept = 0;
        while (kept < ranked.Length && (kept == 0 || reached < wanted))
        {
            reached += ranked[kept].Weight;
            keys[kept] = ranked[kept].Key;
            weights[kept] = ranked[kept].Weight;
            kept++;
        }

        keys[..kept].Sort(weights[..kept]);
        candidates.Keep(kept);
    }

    // Distance holds the surprise until the entropy is known.
    private readonly record struct Ranked(double Distance, ulong Key, double Weight) : IComparable<Ranked>
    {
        public int CompareTo(Ranked other) =>
            Distance.CompareTo(other.Distance) is int byDistance and not 0 ? byDistance : Key.CompareTo(other.Key);
    }
}
