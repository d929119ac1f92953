using System.Threading.Channels;
using KwaaiNet.Protocol.Discovery;
using KwaaiNet.Protocol.Nodes;

namespace KwaaiNet.Discovery.Backends;

/// <summary>One reader of a <see cref="RedisFeed"/>: its snapshot, and a bounded queue of the changes since.</summary>
internal sealed class RedisWatcher : IDisposable
{
    /// <summary>Changes that may wait for a slow reader.</summary>
    public const int MaxWaiting = 8_192;

    private readonly NodeQuery _query;
    private readonly Action<RedisWatcher> _end;
    private readonly HashSet<string> _shown;
    private readonly Channel<NodeChange> _changes = Channel.CreateBounded<NodeChange>(new BoundedChannelOptions(MaxWaiting) { SingleReader = true });

    public RedisWatcher(NodeQuery query, SignedNodeRecord[] snapshot, Action<RedisWatcher> end)
    {
        _query = query;
        _end = end;
        Snapshot = snapshot;
        _shown = new HashSet<string>(snapshot.Select(record => record.NodeId), StringComparer.Ordinal);
    }

    /// <summary>What was live when the watch began.</summary>
    public IReadOnlyList<SignedNodeRecord> Snapshot { get; }

    /// <summary>What changed since.</summary>
    public ChannelReader<NodeChange> Changes => _changes.Reader;

    /// <summary>Queues a change that concerns this reader; false when the reader was too slow and has been dropped.</summary>
    public bool Offer(NodeChange change)
    {
        SignedNodeRecord record = change.Record!;
        // A node once shown stays this reader's business: it must hear that the node serves something else now, or is gone.
        bool concerns = change.Kind == NodeChangeKind.Announced
            ? (_query.Matches(record) ? _shown.Add(record.NodeId) || true : _shown.Contains(record.NodeId))
            : _shown.Remove(record.NodeId);
        if (!concerns || _changes.Writer.TryWrite(change))
            return true;
        Fail(new DirectoryUnavailableException($"This reader is {MaxWaiting} changes behind. Watch again for a fresh snapshot."));
        return false;
    }

    /// <summary>Ends the watch with an error, after what is queued.</summary>
    public void Fail(DirectoryUnavailableException reason) => _changes.Writer.TryComplete(reason);

    public void Dispose() => _end(this);
}
