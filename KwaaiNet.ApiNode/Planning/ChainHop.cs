using KwaaiNet.Protocol.Blocks;

namespace KwaaiNet.ApiNode.Planning;

/// <summary>One shard of a chain and the blocks it runs.</summary>
/// <param name="NodeId">The node's did:key.</param>
/// <param name="Endpoint">Where it answers.</param>
/// <param name="Blocks">The blocks it runs for this chain: all or a part of what it holds.</param>
internal sealed record ChainHop(string NodeId, string Endpoint, BlockRange Blocks)
{
    /// <summary>When the node's process started, by its own clock; 0: not said.</summary>
    public long StartedUnixMs { get; init; }

    /// <summary>Which of the node's records it was planned by.</summary>
    public ulong Sequence { get; init; }

    /// <summary>Whether it is the same process running the same blocks, whichever way it is reached.</summary>
    public bool IsSame(ChainHop other) => NodeId == other.NodeId && Blocks == other.Blocks && StartedUnixMs == other.StartedUnixMs;
}
