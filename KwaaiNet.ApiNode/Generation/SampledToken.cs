namespace KwaaiNet.ApiNode.Generation;

/// <summary>One generated token.</summary>
/// <param name="Id">The token.</param>
/// <param name="Last">Whether the ring stopped by itself behind it.</param>
internal readonly record struct SampledToken(int Id, bool Last);
