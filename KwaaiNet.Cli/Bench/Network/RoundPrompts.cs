using System.Text.Json.Serialization;

namespace KwaaiNet.Cli.Bench.Network;

/// <summary>The prompts of all users in one round.</summary>
/// <param name="PromptTokens">Their tokens, as the API counted them.</param>
/// <param name="CachedTokens">Of these, the ones that were found in the KV cache and not computed.</param>
internal sealed record RoundPrompts(
    [property: JsonPropertyName("prompt_tokens")] int PromptTokens,
    [property: JsonPropertyName("cached_tokens")] int CachedTokens);
