namespace KwaaiNet.ApiNode.OpenAIJson;

/// <summary>OpenAI's error object: <c>{"error":{"message":…,"type":…,"param":…,"code":…}}</c>.</summary>
internal sealed record ErrorEnvelope(ErrorBody Error);

/// <summary>What is wrong.</summary>
/// <param name="Message">For people: the thing and the remedy.</param>
/// <param name="Type"><c>invalid_request_error</c> or <c>server_error</c>.</param>
/// <param name="Param">The field at fault.</param>
/// <param name="Code">For programs.</param>
internal sealed record ErrorBody(string Message, string Type, string? Param, string? Code);
