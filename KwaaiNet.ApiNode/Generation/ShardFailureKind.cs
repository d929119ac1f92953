namespace KwaaiNet.ApiNode.Generation;

/// <summary>How a shard failed a session, as far as it decides what to do next.</summary>
internal enum ShardFailureKind
{
    /// <summary>The node cannot be reached, does not answer, or broke its stream.</summary>
    Lost,

    /// <summary>The node answers and refuses: the range is not held, it drains, the weights differ, a frame was bad.</summary>
    Refused,

    /// <summary>The node has no KV cache for the session.</summary>
    KvExhausted,

    /// <summary>Older sessions needed the node's KV cache. It has failed nobody.</summary>
    Preempted,

    /// <summary>Every shard answers and no token comes.</summary>
    Stalled,
}
