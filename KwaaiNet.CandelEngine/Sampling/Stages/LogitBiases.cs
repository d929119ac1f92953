namespace KwaaiNet.CandelEngine.Sampling.Stages;

/// <summary>Adds each bias to its token's logit. A bias for a token that is not in the vocabulary is none.</summary>
internal sealed class LogitBiases : ILogitStage
{
    /// <inheritdoc/>
    public void Apply(Span<float> logits, SamplingParameters parameters, TokenHistory history)
    {
        if (parameters.LogitBias.IsDefaultOrEmpty)
            return;
        foreach (LogitBias bias in parameters.LogitBias)
        {
            if (bias.Token < logits.Length)
                logits[bias.Token] += bias.Bias;
        }
    }
}
