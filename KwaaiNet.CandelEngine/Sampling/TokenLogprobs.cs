namespace KwaaiNet.CandelEngine.Sampling;

/// <summary>The log probabilities of one draw: of the drawn token, and of the most likely ones. A buffer that draws fill again and again.</summary>
/// <remarks>
/// They are the model's own: the log-softmax of its logits before bias, penalties, temperature and filters, as vLLM reports by default
/// (raw_logprobs). So they say how sure the model was, and do not change with how one draws from it.
/// Sums run in the order of ids with this engine's exponential and logarithm: the same bits on every machine.
/// </remarks>
public sealed class TokenLogprobs
{
    /// <summary>What stands for anything less likely, also for a probability of 0: JSON has no infinity. OpenAI's number.</summary>
    public const float Floor = -9999;

    private readonly TokenLogprob[] _top = new TokenLogprob[SamplingParameters.MaxTopLogprobs];
    private int _count;

    /// <summary>The drawn token.</summary>
    public TokenLogprob Drawn { get; private set; }

    /// <summary>The most likely tokens, best first; equals by rising id. The drawn one need not be among them.</summary>
    public ReadOnlySpan<TokenLogprob> Top => _top.AsSpan(0, _count);

    /// <summary>Computes them.</summary>
    /// <param name="logits"><c>[Vocabulary] float32</c>, the model's own.</param>
    /// <param name="drawn">The drawn token.</param>
    /// <param name="count">How many of the most likely tokens, at most <see cref="SamplingParameters.MaxTopLogprobs"/>.</param>
    internal void Fill(ReadOnlySpan<float> logits, int drawn, int count)
    {
        float highest = float.NegativeInfinity;
        foreach (float logit in logits)
        {
            if (logit > highest)
                highest = logit;
        }

        double total = 0;
        foreach (float logit in logits)
        {
            if (logit > float.NegativeInfinity)
                total += Candidates.WeightOf(logit, highest, 1);
        }

        double logTotal = PortableLogarithm.Log(total);
        Drawn = new TokenLogprob(drawn, LogprobOf(logits[drawn], highest, logTotal));
        Span<ulong> best = stackalloc ulong[SamplingParameters.MaxTopLogprobs];
        _count = BestTokens.Select(logits, best[..count]);
        for (int i = 0; i < _count; i++)
        {
            int id = BestTokens.IdOf(best[i]);
            _top[i] = new TokenLogprob(id, LogprobOf(logits[id], highest, logTotal));
        }
    }

    private static float LogprobOf(float logit, float highest, double logTotal) =>
        logit == highest ? (float)(0 - logTotal)
        : float.IsPositiveInfinity(highest) ? Floor
        : Math.Max((float)((double)logit - highest - logTotal), Floor);
}
