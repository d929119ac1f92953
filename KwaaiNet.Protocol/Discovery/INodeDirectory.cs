using KwaaiNet.Protocol.Nodes;

namespace KwaaiNet.Protocol.Discovery;

/// <summary>Who is there and what do they serve: one contract for every discovery backend (embedded, Redis, DHT) and for the gRPC client to it.</summary>
/// <remarks>One conformance suite (<c>Category=DiscoveryConformance</c>) runs over every implementation. Safe for concurrent use.</remarks>
public interface INodeDirectory
{
    /// <summary>Stores or renews a record; also the heartbeat. Idempotent for the very same record.</summary>
    /// <exception cref="NodeRecordException">The record's sequence is not above the stored one's, or it is a tombstone.</exception>
    /// <exception cref="DirectoryUnavailableException">The backend could not be reached; trying again is safe.</exception>
    Task AnnounceAsync(SignedNodeRecord record, CancellationToken cancellationToken = default);

    /// <summary>Replaces a record by its tombstone: readers see the node leave at once.</summary>
    /// <exception cref="NodeRecordException">The record is not a tombstone, or its sequence is not above the stored one's.</exception>
    /// <exception cref="DirectoryUnavailableException">The backend could not be reached; trying again is safe.</exception>
    Task WithdrawAsync(SignedNodeRecord tombstone, CancellationToken cancellationToken = default);

    /// <summary>The live records that match. Every one has been verified.</summary>
    /// <exception cref="DirectoryUnavailableException">The backend could not be reached; trying again is safe.</exception>
    Task<IReadOnlyList<SignedNodeRecord>> LookupAsync(NodeQuery query, CancellationToken cancellationToken = default);

    /// <summary>First the live records that match, then <see cref="NodeChangeKind.SnapshotEnd"/>, then every change, until cancelled.</summary>
    /// <remarks>A record that stops matching the query because it changed is reported as announced; the reader sees what it now serves.</remarks>
    /// <exception cref="DirectoryUnavailableException">The backend was lost; watch again for a fresh snapshot.</exception>
    IAsyncEnumerable<NodeChange> WatchAsync(NodeQuery query, CancellationToken cancellationToken = default);
}
