namespace KwaaiNet.ApiNode.Generation;

/// <summary>One generated token.</summary>
/// <param name="Id">The token.</param>
/// <param name="Last">Whether the ring stopped by itself behind it.</param>
/// <param name="Logprobs">Log probabilities, when they were asked for.</param>
internal readonly record struct SampledToken(int Id, bool Last, DrawnLogprobs? Logprobs = null);
