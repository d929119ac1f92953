namespace KwaaiNet.Protocol.Nodes;

/// <summary>Versions of the wire protocol between nodes. A node's record lists all it speaks; a session says which one it needs of each shard.</summary>
public static class ProtocolVersions
{
    /// <summary>What every node speaks.</summary>
    public const uint Base = 1;

    /// <summary>The last shard also knows bias, penalties, typical, min-p and log probabilities.</summary>
    public const uint FullSampling = 2;

    /// <summary>All that this build speaks.</summary>
    public static IReadOnlyList<uint> Spoken { get; } = [Base, FullSampling];
}
