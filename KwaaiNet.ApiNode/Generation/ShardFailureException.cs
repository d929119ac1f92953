using System.Collections.Immutable;

namespace KwaaiNet.ApiNode.Generation;

/// <summary>One chain failed one session. Whether the request fails too is decided where chains are chosen.</summary>
/// <param name="kind">How.</param>
/// <param name="nodes">The nodes at fault, by did:key.</param>
/// <param name="message">What happened, for the log: it names nodes and addresses.</param>
/// <param name="what">What happened, for users, as it is said of the shard: <c>was lost</c>. It names neither.</param>
/// <param name="inner">The transport's own exception.</param>
internal sealed class ShardFailureException(ShardFailureKind kind, ImmutableArray<string> nodes, string message, string what, Exception? inner = null)
    : Exception(message, inner)
{
    /// <summary>How.</summary>
    public ShardFailureKind Kind { get; } = kind;

    /// <summary>What happened, without names and addresses.</summary>
    public string What { get; } = what;

    /// <summary>The nodes at fault.</summary>
    public ImmutableArray<string> Nodes { get; } = nodes;

    /// <summary>When the shard expects to have room; null: it does not know, or was not full.</summary>
    public TimeSpan? RetryAfter { get; init; }
}
