using Microsoft.Extensions.AI;

namespace KwaaiNet.ApiNode.Routes;

/// <summary>A chat completion as it was asked for.</summary>
/// <param name="Messages">The conversation.</param>
/// <param name="Options">Model, limits, sampling.</param>
/// <param name="Stream">Whether the answer comes as events.</param>
/// <param name="IncludeUsage">Whether the events end with one for usage.</param>
internal sealed record ChatCompletionRequest(IReadOnlyList<ChatMessage> Messages, ChatOptions Options, bool Stream, bool IncludeUsage);
