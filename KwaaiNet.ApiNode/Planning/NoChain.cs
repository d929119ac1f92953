using System.Collections.Immutable;
using KwaaiNet.Protocol.Blocks;
using KwaaiNet.Protocol.Trust;

namespace KwaaiNet.ApiNode.Planning;

/// <summary>Why there is no chain, in terms an operator can act on.</summary>
/// <param name="Reason">The first rule that leaves blocks uncovered.</param>
/// <param name="Missing">The blocks left uncovered by it; empty where every block is held and something else is missing.</param>
/// <param name="BestTier">The highest tier a whole chain reaches.</param>
/// <param name="Loading">Missing blocks that nodes are loading now.</param>
internal sealed record NoChain(
    NoChainReason Reason, ImmutableArray<BlockRange> Missing, TrustTier BestTier, ImmutableArray<BlockRange> Loading);
