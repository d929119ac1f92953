namespace KwaaiNet.CandelEngine.Sampling.Stages;

/// <summary>A stage that shapes logits before candidates are taken from them: greedy decoding sees it too.</summary>
internal interface ILogitStage
{
    /// <summary>Changes the logits; leaves them alone when its parameters are neutral. Logits that are not numbers stay so.</summary>
    /// <param name="logits"><c>[Vocabulary] float32</c>.</param>
    /// <param name="parameters">Checked.</param>
    /// <param name="history">Its tokens are within the vocabulary.</param>
    void Apply(Span<float> logits, SamplingParameters parameters, TokenHistory history);
}
