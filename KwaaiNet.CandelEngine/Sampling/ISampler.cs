namespace KwaaiNet.CandelEngine.Sampling;

/// <summary>Draws tokens from logits. Holds scratch memory only, so a sampler serves many sessions, one call at a time.</summary>
public interface ISampler
{
    /// <summary>Draws the token that follows position <paramref name="position"/>.</summary>
    /// <param name="logits"><c>[Vocabulary] float32</c>; may be overwritten.</param>
    /// <param name="parameters">Bias, penalties, temperature, filters, seed.</param>
    /// <param name="position">The position the logits belong to: the counter of the counter-based random sequence.</param>
    /// <param name="history">The last tokens, as many as <see cref="SamplingParameters.HistoryNeeded"/> says; nothing when no penalty is set.</param>
    /// <param name="logprobs">Filled when <see cref="SamplingParameters.TopLogprobs"/> asks for it; null: they are not wanted.</param>
    /// <returns>A token id. Greedy ties go to the lowest id; NaN logits are never drawn.</returns>
    /// <exception cref="ArgumentException">There is no logit that is a number above −∞, or the history holds a token that is not in the vocabulary.</exception>
    /// <exception cref="ArgumentOutOfRangeException">A parameter is outside of its range; it is named.</exception>
    int Sample(Span<float> logits, SamplingParameters parameters, int position, TokenHistory history = default, TokenLogprobs? logprobs = null);
}
