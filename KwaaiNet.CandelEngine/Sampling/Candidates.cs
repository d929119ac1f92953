namespace KwaaiNet.CandelEngine.Sampling;

/// <summary>The tokens that may still be drawn, with their weights: e^((logit − highest) / temperature), not normalised.</summary>
/// <remarks>Scratch memory grows to the largest vocabulary seen, then nothing is allocated. Weights are added up in the candidates' order, always.</remarks>
internal sealed class Candidates
{
    private ulong[] _keys = [];
    private double[] _weights = [];
    private float _highest;
    private float _temperature;

    /// <summary>Tokens left.</summary>
    public int Count { get; private set; }

    /// <summary>Sum of the weights.</summary>
    public double Total { get; private set; }

    /// <summary>The tokens' keys (see <see cref="BestTokens"/>). A stage may reorder them together with <see cref="Weights"/>.</summary>
    public Span<ulong> Keys => _keys.AsSpan(0, Count);

    /// <summary>The tokens' weights.</summary>
    public Span<double> Weights => _weights.AsSpan(0, Count);

    /// <summary>A token's weight; that of infinite logits is 1, and 0 for all others beside them.</summary>
    public static double WeightOf(float logit, float highest, float temperature) =>
        logit == highest ? 1 : float.IsPositiveInfinity(highest) ? 0 : PortableExponential.Exp(((double)logit - highest) / temperature);

    /// <summary>Takes a vocabulary's tokens, or the best <paramref name="topK"/> of them, sorted, when it is not 0.</summary>
    /// <param name="logits"><c>[Vocabulary] float32</c>; at least one is a number above −∞.</param>
    /// <param name="highest">The highest logit.</param>
    /// <param name="topK">How many at most; 0: all, in the order of ids.</param>
    /// <param name="temperature">Above 0.</param>
    public void Take(ReadOnlySpan<float> logits, float highest, int topK, float temperature)
    {
        if (_keys.Length < logits.Length)
        {
            _keys = new ulong[logits.Length];
            _weights = new double[logits.Length];
        }

        _highest = highest;
        _temperature = temperature;
        Count = topK > 0 && topK < logits.Length ? BestTokens.Select(logits, _keys.AsSpan(0, topK)) : TakeAll(logits);
        if (float.IsPositiveInfinity(highest))
        {
            for (int i = 0; i < Count; i++)
                _weights[i] = WeightOf(BestTokens.LogitOf(_keys[i]), highest, temperature);
        }
        else
        {
            for (int i = 0; i < Count; i++)
                _weights[i] = ((double)BestTokens.LogitOf(_keys[i]) - highest) / temperature;
            PortableExponential.Exp(Weights);
        }

        Keep(Count);
    }

    /// <summary>ln of a token's weight, where that weight is not 0.</summary>
    public double LogWeightAt(int index)
    {
        float logit = BestTokens.LogitOf(_keys[index]);
        return logit == _highest ? 0 : ((double)logit - _highest) / _temperature;
    }

    /// <summary>Keeps the first <paramref name="count"/> and adds their weights up anew.</summary>
    public void Keep(int count)
    {
        Count = count;
        Total = 0;
        for (int i = 0; i < count; i++)
            Total += _weights[i];
    }

    /// <summary>Draws one candidate with the probability its weight has in the total.</summary>
    /// <remarks>
    /// An exponential race: every token has a waiting time −ln(1 − u) / weight with a random number u of its own, and the first one wins
    /// (the Gumbel-max trick; vLLM draws so). Any one token's chance is as exact as from one random number laid along the summed weights, but
    /// weights that differ in their last bits, as those of two backends do, change the winner only when two tokens come in nearly together,
    /// and not whenever a small difference in one token has pushed all tokens behind it along. Which tokens were filtered out, and in which
    /// order the rest stand, does not matter either.
    /// </remarks>
    /// <param name="seed">The key of the random numbers.</param>
    /// <param name="position">Their counter, together with the token's id.</param>
    public int Draw(ulong seed, int position)
    {
        int winner = 0;
        double best = -1;
        for (int i = 0; i < Count; i++)
        {
            double weight = _weights[i];
            if (weight == 0)
                continue;
            double u = Philox.Uniform(seed, position, BestTokens.IdOf(_keys[i]));
            // −ln(1 − u) >= u: most tokens need no logarithm to be seen to lose.
            if (weight <= best * u)
                continue;
            double speed = weight / -PortableLogarithm.Log(1 - u);
            if (speed > best)
            {
                best = speed;
                winner = i;
            }
        }

        return BestTokens.IdOf(_keys[winner]);
    }

    private int TakeAll(ReadOnlySpan<float> logits)
    {
        int count = 0;
        for (int id = 0; id < logits.Length; id++)
        {
            if (logits[id] > float.NegativeInfinity)
                _keys[count++] = BestTokens.KeyOf(logits[id], id);
        }

        return count;
    }
}
