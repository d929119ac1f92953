using KwaaiNet.ApiNode.Chat;
using KwaaiNet.ApiNode.OpenAIJson;
using Microsoft.Extensions.AI;

namespace KwaaiNet.ApiNode.Routes;

/// <summary>Fields that whole answers and chunks share.</summary>
internal static class CompletionFields
{
    /// <summary>Seconds since 1970.</summary>
    public static long Created(DateTimeOffset? created) => created?.ToUnixTimeSeconds() ?? 0;

    /// <summary>Why the answer ended. A client that says nothing ended by itself.</summary>
    public static string FinishReason(ChatFinishReason? reason) => (reason ?? ChatFinishReason.Stop).Value;

    /// <summary>Tokens counted; null when they were not.</summary>
    public static CompletionUsage? Usage(UsageDetails? usage) => usage is null
        ? null
        : new CompletionUsage(
            usage.InputTokenCount ?? 0, usage.OutputTokenCount ?? 0,
            usage.TotalTokenCount ?? (usage.InputTokenCount ?? 0) + (usage.OutputTokenCount ?? 0))
        {
            PromptTokensDetails = usage.CachedInputTokenCount is { } cached ? new PromptTokensDetails(cached) : null,
        };

    /// <summary>The log probabilities that an answer or an update carries; null when it carries none.</summary>
    public static CompletionLogprobs? Logprobs(AdditionalPropertiesDictionary? properties)
    {
        object? value = null;
        return properties?.TryGetValue(ChatProperties.Logprobs, out value) == true && value is IReadOnlyList<LogprobContent> content
            ? new CompletionLogprobs(content)
            : null;
    }

    /// <summary>The name of the weights that gave an answer.</summary>
    public static string? Fingerprint(ChatResponse response) =>
        // An update's properties become its message's.
        Fingerprint(response.AdditionalProperties) ?? response.Messages.Select(message => Fingerprint(message.AdditionalProperties)).FirstOrDefault();

    /// <summary>The name of the weights.</summary>
    public static string? Fingerprint(AdditionalPropertiesDictionary? properties)
    {
        object? value = null;
        return properties?.TryGetValue(ChatProperties.Fingerprint, out value) == true ? value as string : null;
    }
}
