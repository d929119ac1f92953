using KwaaiNet.Protocol.Nodes;

namespace KwaaiNet.Protocol.Discovery;

/// <summary>One change of the directory.</summary>
/// <param name="Kind">What happened.</param>
/// <param name="Record">The record it happened to; null for <see cref="NodeChangeKind.SnapshotEnd"/> only.</param>
public sealed record NodeChange(NodeChangeKind Kind, SignedNodeRecord? Record);
