using KwaaiNet.Protocol.Wire;

namespace KwaaiNet.ShardNode.Frames;

/// <summary>Why something from the wire is not done.</summary>
/// <param name="Code">The field's own code.</param>
/// <param name="Message">What was wrong, with the numbers.</param>
/// <param name="KvFreeBytes">Bytes of KV cache that a new session could have here now; null where that is not the question.</param>
/// <param name="RetryAfter">When it may be worth asking again; null: not known, or never.</param>
internal sealed record Refusal(FailureCode Code, string Message, long? KvFreeBytes = null, TimeSpan? RetryAfter = null);
