using KwaaiNet.Protocol.Blocks;

namespace KwaaiNet.ShardNode.Placement;

/// <summary>What another node holds of this shard's model: its claim or its service.</summary>
/// <param name="NodeId">The node.</param>
/// <param name="Range">The blocks.</param>
/// <param name="IsReady">Whether they are loaded; false: claimed, and being loaded.</param>
/// <param name="Sessions">Sessions open there.</param>
internal sealed record Holding(string NodeId, BlockRange Range, bool IsReady, int Sessions = 0);
