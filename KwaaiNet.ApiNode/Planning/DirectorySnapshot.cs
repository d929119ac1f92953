using KwaaiNet.Protocol.Discovery;
using KwaaiNet.Protocol.Wire;

namespace KwaaiNet.ApiNode.Planning;

/// <summary>The snapshot that the directory's live view holds.</summary>
internal sealed class DirectorySnapshot(NodeDirectoryView view) : INodeSnapshot
{
    /// <inheritdoc/>
    public bool IsAvailable => view.Current.IsLive;

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
