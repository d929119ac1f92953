namespace KwaaiNet.Cli.Api;

/// <summary>One turn of a conversation.</summary>
internal sealed record ApiMessage(string Role, string Content);
