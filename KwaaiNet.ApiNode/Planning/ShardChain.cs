using System.Collections.Immutable;
using KwaaiNet.Protocol.Blocks;
using KwaaiNet.Protocol.Trust;

namespace KwaaiNet.ApiNode.Planning;

/// <summary>Shards that together run every block of a model exactly once, in order.</summary>
/// <param name="Hops">First to last; no node appears twice.</param>
/// <param name="CostNanoseconds">Estimated time of one token through the chain.</param>
/// <param name="PrefillNanoseconds">Estimated time of one row of a prompt through the chain.</param>
/// <param name="Tier">The weakest node's.</param>
internal sealed record ShardChain(ImmutableArray<ChainHop> Hops, long CostNanoseconds, long PrefillNanoseconds, TrustTier Tier)
{
    /// <summary>A chain of nodes and the blocks each of them runs, first to last.</summary>
    public static ShardChain Of(IReadOnlyCollection<(Candidate Node, BlockRange Blocks)> parts) => new(
        [.. parts.Select(part => new ChainHop(part.Node.NodeId, part.Node.Endpoint, part.Blocks) { StartedUnixMs = part.Node.StartedUnixMs, Sequence = part.Node.Sequence })],
        parts.Sum(part => part.Node.TokenNanoseconds(part.Blocks.Count)),
        parts.Sum(part => part.Node.PrefillNanoseconds * part.Blocks.Count),
        parts.Min(part => part.Node.Tier));

    /// <inheritdoc/>
    public override string ToString() => string.Join(" → ", Hops.Select(hop => $"{hop.NodeId}[{hop.Blocks}]"));
}
