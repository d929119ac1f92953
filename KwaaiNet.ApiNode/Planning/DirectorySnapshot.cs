using KwaaiNet.Protocol.Discovery;
using KwaaiNet.Protocol.Wire;

namespace KwaaiNet.ApiNode.Planning;

/// <summary>The snapshot that the directory's live view holds.</summary>
internal sealed class DirectorySnapshot(NodeDirectoryView view) : INodeSnapshot
{
    /// <inheritdoc/>
    public string? Trouble => view.Current switch
    {
        { IsLive: true } => null,
        { LossReason: { } reason } => $"Discovery says: {reason}",
        _ => "Discovery does not answer; check that it runs and that Node:Discovery names it.",
    };

    /// <inheritdoc/>
    public IReadOnlyCollection<NodeRecord> Records
    {
        get
        {
            NodeDirectorySnapshot current = view.Current;
            return [.. current.Records.Values.Select(record => record.Record)];
        }
    }
}
