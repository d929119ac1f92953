using KwaaiNet.Protocol.Nodes;

namespace KwaaiNet.Protocol.Discovery;

/// <summary>Which records a reader wants; null fields do not filter.</summary>
/// <param name="Network">The network's name.</param>
/// <param name="Model">Only nodes that serve (or are loading) blocks of this model.</param>
/// <param name="NodeId">Only this node.</param>
public sealed record NodeQuery(string? Network = null, string? Model = null, string? NodeId = null)
{
    /// <summary>Whether a record is one of those wanted.</summary>
    public bool Matches(SignedNodeRecord record)
    {
        ArgumentNullException.ThrowIfNull(record);
        return (Network is null || record.Record.Network == Network)
            && (NodeId is null || record.NodeId == NodeId)
            && (Model is null || record.Record.Serving.Any(served => served.Model == Model));
    }
}
