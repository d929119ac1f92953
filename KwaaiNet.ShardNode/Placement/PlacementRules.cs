namespace KwaaiNet.ShardNode.Placement;

/// <summary>What bounds a choice of blocks.</summary>
/// <param name="BlockCount">Blocks of the model.</param>
/// <param name="ExpectedShards">Even parts to cut it into; null: gaps are taken as they are.</param>
/// <param name="MaxBlocks">The most blocks to take; null: no bound.</param>
internal sealed record PlacementRules(int BlockCount, int? ExpectedShards = null, int? MaxBlocks = null);
