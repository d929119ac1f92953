using KwaaiNet.Protocol.Links;
using KwaaiNet.Protocol.Wire;

namespace KwaaiNet.ApiNode.Generation;

/// <summary>Dials over mutual TLS: the node that answers is the node that was announced.</summary>
internal sealed class NodeChannelDialer(NodeLinks links) : IShardDialer
{
    /// <inheritdoc/>
    public Shard.ShardClient Dial(string nodeId, string endpoint) => new(links.Invoker(endpoint, nodeId));
}
