using KwaaiNet.ApiNode.Models;
using KwaaiNet.Protocol.Transport;
using KwaaiNet.Protocol.Trust;
using KwaaiNet.Protocol.Wire;
using Microsoft.Extensions.Options;

namespace KwaaiNet.ApiNode.Planning;

/// <summary>Plans over what is known this moment: the directory's snapshot less the nodes that just failed, and the sessions under way from here.</summary>
internal sealed class ChainRouter(INodeSnapshot nodes, NodeQuarantine quarantine, OwnSessions sessions, PlanTurns turns, IOptions<NodeOptions> node)
{
    /// <summary>Plans a chain.</summary>
    /// <param name="request">What it must satisfy; which network, nodes that failed a moment ago, own sessions and turns are added here.</param>
    public ChainPlan Plan(ChainRequest request) => ChainPlanner.Plan(nodes.Records, Known(request) with { Turn = turns.Next() }, TierOf);

    /// <summary>Plans a chain for whatever request: is every block served?</summary>
    public ChainPlan Plan(ChatModel model) =>
        ChainPlanner.Plan(nodes.Records, Known(new ChainRequest { Model = model, Room = KvRoom.Any }), TierOf);

    /// <summary>The most KV positions a chain could ever give one session, failed nodes counted as well.</summary>
    /// <param name="request">What the chain must satisfy, and as many positions as are of interest.</param>
    public int MostPositions(ChainRequest request) =>
        ChainPlanner.MostPositions(nodes.Records, request with { Network = node.Value.Network, Avoid = AvoidedNodes.None }, TierOf);

    /// <summary>Leaves a node, or one way to it, out of chains for a while.</summary>
    /// <param name="hop">The node as it was planned.</param>
    /// <param name="whole">Whether the node is at fault, and not only the way to it.</param>
    public void Quarantine(ChainHop hop, bool whole) => quarantine.Add(hop, whole);

    private ChainRequest Known(ChainRequest request) =>
        request with { Network = node.Value.Network, Avoid = quarantine.Nodes.With(request.Avoid), OpenedSince = sessions.Since };

    // Until nodes show credentials nothing is known of any of them, and nothing else is claimed.
    private static TrustTier TierOf(NodeRecord record) => TrustTier.Unknown;
}
