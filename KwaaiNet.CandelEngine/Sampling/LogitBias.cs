namespace KwaaiNet.CandelEngine.Sampling;

/// <summary>A number added to one token's logit. OpenAI's range is −100 (as good as banned) to 100 (as good as forced).</summary>
/// <param name="Token">The token's id.</param>
/// <param name="Bias">What is added.</param>
public readonly record struct LogitBias(int Token, float Bias);
