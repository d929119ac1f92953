namespace KwaaiNet.Cli.Api;

/// <summary>One event of a streamed answer, or an error object in its place.</summary>
internal sealed record ApiChunk(IReadOnlyList<ApiChoice>? Choices, ApiError? Error);

/// <summary>The one alternative that is asked for.</summary>
internal sealed record ApiChoice(ApiDelta? Delta, string? FinishReason);

/// <summary>What this event adds.</summary>
internal sealed record ApiDelta(string? Content);

/// <summary>OpenAI's error object.</summary>
internal sealed record ApiError(string Message, string? Type, string? Code);
