using KwaaiNet.ApiNode.Models;
using KwaaiNet.Protocol.Nodes;
using KwaaiNet.Protocol.Transport;
using KwaaiNet.Protocol.Trust;
using KwaaiNet.Protocol.Wire;
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
    /// <param name="room">Which KV memory counts.</param>
    public ChainPlan Plan(
        ChatModel model, int positions, TrustTier minimumTier = TrustTier.Unknown, AvoidedNodes? avoid = null,
        uint lastShardVersion = ProtocolVersions.Base, KvRoom room = KvRoom.Free) =>
        ChainPlanner.Plan(
            nodes.Records,
            Request(model, positions, minimumTier, lastShardVersion) with { Avoid = quarantine.Nodes.With(avoid ?? AvoidedNodes.None), Room = room },
            TierOf);

    /// <summary>Plans a chain for whatever request: is every block served?</summary>
    public ChainPlan Plan(ChatModel model) => Plan(model, positions: 1, room: KvRoom.Any);

    /// <summary>The most KV positions a chain could ever give one session, failed nodes counted as well.</summary>
    /// <param name="model">The model.</param>
    /// <param name="positions">As many as are of interest.</param>
    /// <param name="minimumTier">The least tier of every node.</param>
    /// <param name="lastShardVersion">The protocol version the last shard must speak.</param>
    public int MostPositions(ChatModel model, int positions, TrustTier minimumTier, uint lastShardVersion) =>
        ChainPlanner.MostPositions(nodes.Records, Request(model, positions, minimumTier, lastShardVersion), TierOf);

    /// <summary>Leaves a node, or one way to it, out of chains for a while.</summary>
    /// <param name="hop">The node as it was planned.</param>
    /// <param name="whole">Whether the node is at fault, and not only the way to it.</param>
    public void Quarantine(ChainHop hop, bool whole) => quarantine.Add(hop, whole);

    private ChainRequest Request(ChatModel model, int positions, TrustTier minimumTier, uint lastShardVersion) => new()
    {
        Model = model,
        Network = node.Value.Network,
        Positions = positions,
        MinimumTier = minimumTier,
        LastShardVersion = lastShardVersion,
    };

    // Until nodes show credentials nothing is known of any of them, and nothing else is claimed.
    private static TrustTier TierOf(NodeRecord record) => TrustTier.Unknown;
}
