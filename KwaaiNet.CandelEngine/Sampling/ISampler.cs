namespace KwaaiNet.CandelEngine.Sampling;

/// <summary>Draws tokens from logits. Holds scratch memory only, so a sampler serves many sessions, one call at a time.</summary>
public interface ISampler
{
    /// <summary>Draws the token that follows position <paramref name="position"/>.</summary>
    /// <param name="logits"><c>[Vocabulary] float32</c>; may be overwritten.</param>
    /// <param name="parameters">Temperature, top-k, top-p, seed.</param>
    /// <param name="position">The position the logits belong to: the counter of the counter-based random sequence.</param>
    /// <returns>A token id. Greedy ties go to the lowest id; NaN logits are never drawn.</returns>
    int Sample(Span<float> logits, SamplingParameters parameters, int position);
}
