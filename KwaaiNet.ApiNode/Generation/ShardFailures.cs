using KwaaiNet.Protocol.Wire;

namespace KwaaiNet.ApiNode.Generation;

/// <summary>Reads what shards report.</summary>
internal static class ShardFailures
{
    // A shard's words reach logs: no more of them than a person reads. They may name other nodes, so users are told the code.
    private const int MaxMessage = 300;

    /// <summary>A session's failure.</summary>
    /// <param name="failed">What was reported. It may name another node; who may be named is checked by the session, which knows its chain.</param>
    /// <param name="reporter">Who reported it.</param>
    public static ShardFailureException From(SessionFailed failed, string reporter) =>
        Make(
            failed.Code, failed.NodeId.Length > 0 ? failed.NodeId : reporter, failed.Message,
            failed.HasRetryAfterMs ? TimeSpan.FromMilliseconds(failed.RetryAfterMs) : null);

    /// <summary>A refused step.</summary>
    public static ShardFailureException From(StepRefused refused, string reporter) => Make(refused.Code, reporter, refused.Message, null);

    private static ShardFailureException Make(FailureCode code, string node, string message, TimeSpan? retryAfter)
    {
        ShardFailureKind kind = code switch
        {
            FailureCode.KvExhausted => ShardFailureKind.KvExhausted,
            FailureCode.Preempted => ShardFailureKind.Preempted,
            FailureCode.NextHopLost => ShardFailureKind.Lost,
            _ => ShardFailureKind.Refused,
        };
        string words = message.Length > MaxMessage ? message[..MaxMessage] : message;
        string what = kind switch
        {
            ShardFailureKind.KvExhausted => "has no KV cache free for it",
            ShardFailureKind.Preempted => "needed its KV cache for older sessions",
            ShardFailureKind.Lost => "was lost",
            _ => $"failed the session ({code})",
        };
        return new ShardFailureException(kind, [node], $"Shard {node} failed the session ({code}): {words}", what) { RetryAfter = retryAfter };
    }
}
