using KwaaiNet.Protocol.Wire;

namespace KwaaiNet.ShardNode.Frames;

/// <summary>Why something from the wire is not done.</summary>
/// <param name="Code">The field's own code.</param>
/// <param name="Message">What was wrong, with the numbers.</param>
internal sealed record Refusal(FailureCode Code, string Message);
