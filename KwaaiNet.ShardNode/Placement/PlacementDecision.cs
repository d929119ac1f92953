using KwaaiNet.Protocol.Blocks;

namespace KwaaiNet.ShardNode.Placement;

/// <summary>Blocks chosen to serve.</summary>
/// <param name="Range">The blocks.</param>
/// <param name="IsRedundant">Whether they overlap others' on purpose, because nothing was missing.</param>
internal sealed record PlacementDecision(BlockRange Range, bool IsRedundant);
