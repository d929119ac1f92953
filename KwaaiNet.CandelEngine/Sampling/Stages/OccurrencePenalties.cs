namespace KwaaiNet.CandelEngine.Sampling.Stages;

/// <summary>Presence and frequency penalty: logit − frequency × (times in the answer) − presence × (1 when it is there at all).</summary>
/// <remarks>OpenAI's formula; the prompt does not count, as in vLLM.</remarks>
internal sealed class OccurrencePenalties : ILogitStage
{
    private int[] _times = [];

    /// <inheritdoc/>
    public void Apply(Span<float> logits, SamplingParameters parameters, TokenHistory history)
    {
        if (!parameters.PenalisesOccurrence)
            return;
        if (_times.Length < logits.Length)
            _times = new int[logits.Length];
        foreach (int token in history.Generated)
            _times[token]++;
        foreach (int token in history.Generated)
        {
            int times = _times[token];
            if (times == 0)
                continue;
            _times[token] = 0;
            // In float64, rounded once.
            logits[token] = (float)(logits[token] - (((double)parameters.FrequencyPenalty * times) + parameters.PresencePenalty));
        }
    }
}
