using System.Collections.Immutable;
using KwaaiNet.Protocol.Trust;

namespace KwaaiNet.ApiNode.Planning;

/// <summary>Shards that together run every block of a model exactly once, in order.</summary>
/// <param name="Hops">First to last; no node appears twice.</param>
/// <param name="CostNanoseconds">Estimated time of one token through the chain.</param>
/// <param name="Tier">The weakest node's.</param>
internal sealed record ShardChain(ImmutableArray<ChainHop> Hops, long CostNanoseconds, TrustTier Tier)
{
    /// <inheritdoc/>
    public override string ToString() => string.Join(" → ", Hops.Select(hop => $"{hop.NodeId}[{hop.Blocks}]"));
}
