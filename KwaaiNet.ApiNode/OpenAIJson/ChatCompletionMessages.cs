using System.Text.Json.Serialization;

namespace KwaaiNet.ApiNode.OpenAIJson;

/// <summary>The answer to a request without <c>stream</c>.</summary>
internal sealed record ChatCompletion(
    string Id, string Object, long Created, string Model, IReadOnlyList<CompletionChoice> Choices, CompletionUsage? Usage, string? SystemFingerprint)
{
    /// <summary>What <see cref="Object"/> says.</summary>
    public const string ObjectName = "chat.completion";
}

/// <summary>The one answer of a completion.</summary>
internal sealed record CompletionChoice(int Index, CompletionMessage Message, string FinishReason)
{
    /// <summary>Log probabilities of the answer's tokens; null when they were not asked for.</summary>
    [JsonPropertyOrder(1)]
    public CompletionLogprobs? Logprobs { get; init; }
}

/// <summary>The answer's text.</summary>
internal sealed record CompletionMessage(string Role, string Content)
{
    /// <summary>Always null: models here do not refuse in a field of its own.</summary>
    public object? Refusal => null;
}

/// <summary>Tokens counted.</summary>
internal sealed record CompletionUsage(long PromptTokens, long CompletionTokens, long TotalTokens)
{
    /// <summary>What is known of the prompt's tokens; left out when nothing is.</summary>
    [JsonPropertyOrder(1)]
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public PromptTokensDetails? PromptTokensDetails { get; init; }
}

/// <summary>Tokens of the prompt that were not computed: the shards held them already.</summary>
internal sealed record PromptTokensDetails(long CachedTokens);

/// <summary>One event of a stream.</summary>
internal record CompletionChunk(
    string Id, string Object, long Created, string Model, string? SystemFingerprint, IReadOnlyList<ChunkChoice> Choices)
{
    /// <summary>What <see cref="Object"/> says.</summary>
    public const string ObjectName = "chat.completion.chunk";
}

/// <summary>One event of a stream whose request asked for usage: null in all but the last.</summary>
internal sealed record CompletionChunkWithUsage(
    string Id, string Object, long Created, string Model, string? SystemFingerprint, IReadOnlyList<ChunkChoice> Choices,
    [property: JsonPropertyOrder(1)] CompletionUsage? Usage)
    : CompletionChunk(Id, Object, Created, Model, SystemFingerprint, Choices);

/// <summary>What a chunk adds to the answer.</summary>
internal sealed record ChunkChoice(int Index, ChunkDelta Delta, string? FinishReason)
{
    /// <summary>Log probabilities of the tokens that this text ends; null when there are none or they were not asked for.</summary>
    public CompletionLogprobs? Logprobs { get; init; }
}

/// <summary>New text; <see cref="Role"/> in the first chunk only.</summary>
internal sealed record ChunkDelta(
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? Role,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? Content);
