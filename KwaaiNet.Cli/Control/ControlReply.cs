namespace KwaaiNet.Cli.Control;

/// <summary>The answer to a request; no error means it was done.</summary>
/// <param name="Error">What went wrong.</param>
/// <param name="Remedy">What to do about it.</param>
internal sealed record ControlReply(string? Error = null, string? Remedy = null);
