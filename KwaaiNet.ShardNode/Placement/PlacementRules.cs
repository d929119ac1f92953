using KwaaiNet.Protocol.Blocks;

namespace KwaaiNet.ShardNode.Placement;

/// <summary>What bounds a choice of blocks.</summary>
/// <param name="BlockCount">Blocks of the model.</param>
/// <param name="ExpectedShards">Even parts to cut it into; null: gaps are taken as they are.</param>
/// <param name="MaxBlocks">The most blocks to take; null: no bound.</param>
/// <param name="Fits">Whether the device has room for blocks; null: it has.</param>
internal sealed record PlacementRules(int BlockCount, int? ExpectedShards = null, int? MaxBlocks = null, Func<BlockRange, bool>? Fits = null);
