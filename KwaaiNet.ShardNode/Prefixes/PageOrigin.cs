using KwaaiNet.CandelEngine.Compute;
using KwaaiNet.Protocol.Blocks;

namespace KwaaiNet.ShardNode.Prefixes;

/// <summary>Where pages of keys and values come from: only sessions of the same origin may find them.</summary>
/// <remarks>The weights and the KV format are the stack's, which a store belongs to.</remarks>
/// <param name="OwnerId">The did:key of the node that opens the sessions: a stranger can neither find its pages nor place any among them.</param>
/// <param name="Blocks">The blocks run here.</param>
/// <param name="Format">How hidden states were rounded on their way.</param>
/// <param name="Lineage">Which nodes came before this one in the chain, as the owner names them.</param>
internal readonly record struct PageOrigin(string OwnerId, BlockRange Blocks, HiddenFormat Format, UInt128 Lineage);
