using System.Collections.Immutable;
using KwaaiNet.Protocol.Nodes;

namespace KwaaiNet.Protocol.Discovery;

/// <summary>The live records of a <see cref="NodeDirectoryView"/> at one moment. Immutable.</summary>
/// <param name="Version">Grows with every change of the view.</param>
/// <param name="IsLive">Whether the directory is being watched right now; false before the first snapshot and while the directory is lost.</param>
/// <param name="Records">Live records by node id.</param>
public sealed record NodeDirectorySnapshot(long Version, bool IsLive, ImmutableSortedDictionary<string, SignedNodeRecord> Records)
{
    /// <summary>While the directory is lost: what it says is wrong; null when it does not answer, or is not lost.</summary>
    public string? LossReason { get; init; }

    /// <summary>Nothing known yet.</summary>
    public static NodeDirectorySnapshot Empty { get; } =
        new(0, IsLive: false, ImmutableSortedDictionary.Create<string, SignedNodeRecord>(StringComparer.Ordinal));
}
