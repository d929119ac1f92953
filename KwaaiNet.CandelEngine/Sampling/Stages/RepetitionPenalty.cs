namespace KwaaiNet.CandelEngine.Sampling.Stages;

/// <summary>Makes tokens of the prompt and the answer less likely, each once: a positive logit is divided by the penalty, any other multiplied.</summary>
internal sealed class RepetitionPenalty : ILogitStage
{
    private bool[] _done = [];

    /// <inheritdoc/>
    public void Apply(Span<float> logits, SamplingParameters parameters, TokenHistory history)
    {
        if (!parameters.PenalisesRepetition)
            return;
        ReadOnlySpan<int> tokens = history.Tokens;
        if (parameters.RepeatLastN >= 0 && parameters.RepeatLastN < tokens.Length)
            tokens = tokens[^parameters.RepeatLastN..];
        if (_done.Length < logits.Length)
            _done = new bool[logits.Length];
        foreach (int token in tokens)
        {
            if (_done[token])
                continue;
            _done[token] = true;
            float logit = logits[token];
            logits[token] = logit > 0 ? logit / parameters.RepetitionPenalty : logit * parameters.RepetitionPenalty;
        }

        foreach (int token in tokens)
            _done[token] = false;
    }
}
