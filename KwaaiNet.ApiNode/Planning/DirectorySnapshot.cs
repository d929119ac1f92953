using KwaaiNet.Protocol.Discovery;
using KwaaiNet.Protocol.Wire;

namespace KwaaiNet.ApiNode.Planning;

/// <summary>The snapshot that the directory's live view holds.</summary>
internal sealed class DirectorySnapshot : INodeSnapshot
{
    private readonly NodeDirectoryView _view;

    /// <summary>Listens for as long as the view lives.</summary>
    public DirectorySnapshot(NodeDirectoryView view)
    {
        _view = view;
        view.Changed += _ => Changed?.Invoke();
    }

    /// <inheritdoc/>
    public event Action? Changed;

    /// <inheritdoc/>
    public string? Trouble => _view.Current switch
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
            NodeDirectorySnapshot current = _view.Current;
            return [.. current.Records.Values.Select(record => record.Record)];
        }
    }
}
