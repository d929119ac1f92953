using System.Collections.Immutable;
using KwaaiNet.ApiNode.Models;
using KwaaiNet.Protocol.Nodes;
using KwaaiNet.Protocol.Transport;
using KwaaiNet.Protocol.Trust;
using Microsoft.Extensions.Options;

namespace KwaaiNet.ApiNode.Planning;

/// <summary>Plans over what is known this moment: the directory's snapshot less the nodes that just failed.</summary>
internal sealed class ChainRouter(INodeSnapshot nodes, NodeQuarantine quarantine, IOptions<NodeOptions> node)
{
    /// <summary>Plans a chain.</summary>
    /// <param name="model">The model.</param>
    /// <param name="positions">KV positions the session needs.</param>
    /// <param name="minimumTier">The least tier of every node.</param>
    /// <param name="avoid">Nodes that refused this request.</param>
    /// <param name="lastShardVersion">The protocol version the last shard must speak.</param>
    public ChainPlan Plan(
        ChatModel model, int positions, TrustTier minimumTier = TrustTier.Unknown, ImmutableHashSet<string>? avoid = null,
        uint lastShardVersion = ProtocolVersions.Base) =>
        ChainPlanner.Plan(
            nodes.Records,
            new ChainRequest
            {
                Model = model,
                Network = node.Value.Network,
                Positions = positions,
                MinimumTier = minimumTier,
                LastShardVersion = lastShardVersion,
                Avoid = quarantine.Nodes.Union(avoid ?? []),
            },
            // Until nodes show credentials nothing is known of any of them, and nothing else is claimed.
            static _ => TrustTier.Unknown);

    /// <summary>Leaves a node out of chains for a while.</summary>
    public void Quarantine(string nodeId) => quarantine.Add(nodeId);
}
