namespace KwaaiNet.CandelEngine.Sampling;

/// <summary>One token and the natural logarithm of its probability.</summary>
/// <param name="Token">The token's id.</param>
/// <param name="Logprob">0 or below; never below <see cref="TokenLogprobs.Floor"/>.</param>
public readonly record struct TokenLogprob(int Token, float Logprob);
