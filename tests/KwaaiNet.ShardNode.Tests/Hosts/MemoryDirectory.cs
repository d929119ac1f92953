using System.Runtime.CompilerServices;
using System.Threading.Channels;
using KwaaiNet.Protocol.Discovery;
using KwaaiNet.Protocol.Nodes;
using KwaaiNet.Protocol.Wire;
using KwaaiNet.ShardNode.Tests.Fakes;

namespace KwaaiNet.ShardNode.Tests.Hosts;

/// <summary>A directory of this process; tests wait on what it holds, and let it go away or hang.</summary>
internal sealed class MemoryDirectory : INodeDirectory
{
    private readonly Lock _lock = new();
    private readonly Dictionary<string, SignedNodeRecord> _records = [];
    private readonly List<ChannelWriter<NodeChange>> _watchers = [];
    private TaskCompletionSource _changed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private TaskCompletionSource _answers = new();
    private bool _away;
    private int _lookups;
    private int _watches;

    public MemoryDirectory() => _answers.SetResult();

    /// <summary>How often it was asked for everything.</summary>
    public int Lookups => Volatile.Read(ref _lookups);

    /// <summary>How many watches were begun.</summary>
    public int Watches => Volatile.Read(ref _watches);

    public Task AnnounceAsync(SignedNodeRecord record, CancellationToken cancellationToken = default) => StoreAsync(record, NodeChangeKind.Announced, cancellationToken);

    public Task WithdrawAsync(SignedNodeRecord tombstone, CancellationToken cancellationToken = default) => StoreAsync(tombstone, NodeChangeKind.Withdrawn, cancellationToken);

    public async Task<IReadOnlyList<SignedNodeRecord>> LookupAsync(NodeQuery query, CancellationToken cancellationToken = default)
    {
        Interlocked.Increment(ref _lookups);
        await AnswerAsync(cancellationToken);
        lock (_lock) return [.. Live().Where(query.Matches)];
    }

    public async IAsyncEnumerable<NodeChange> WatchAsync(NodeQuery query, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        Interlocked.Increment(ref _watches);
        await AnswerAsync(cancellationToken);
        Channel<NodeChange> changes = Channel.CreateUnbounded<NodeChange>();
        lock (_lock)
        {
            foreach (SignedNodeRecord record in Live().Where(query.Matches)) changes.Writer.TryWrite(new NodeChange(NodeChangeKind.Announced, record));
            changes.Writer.TryWrite(new NodeChange(NodeChangeKind.SnapshotEnd, null));
            _watchers.Add(changes.Writer);
        }

        await foreach (NodeChange change in changes.Reader.ReadAllAsync(cancellationToken))
        {
            if (change.Record is null || query.Network is null || change.Record.Record.Network == query.Network) yield return change;
        }
    }

    /// <summary>Takes a node out as if its time to live had passed.</summary>
    public void Expire(string nodeId)
    {
        lock (_lock)
        {
            if (_records.Remove(nodeId, out SignedNodeRecord? last)) Tell(new NodeChange(NodeChangeKind.Expired, last));
            Signal();
        }
    }

    /// <summary>From now on every call fails, and every watch ends.</summary>
    public void GoAway()
    {
        lock (_lock)
        {
            _away = true;
            foreach (ChannelWriter<NodeChange> watcher in _watchers) watcher.TryComplete(new DirectoryUnavailableException("away"));
            _watchers.Clear();
        }
    }

    /// <summary>From now on no call is answered.</summary>
    public void Hang() => _answers = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Everything works again.</summary>
    public void ComeBack()
    {
        lock (_lock) _away = false;
        _answers.TrySetResult();
    }

    /// <summary>Waits until the live records are as wanted.</summary>
    public async Task<IReadOnlyList<SignedNodeRecord>> WaitAsync(Func<IReadOnlyList<SignedNodeRecord>, bool> wanted)
    {
        using CancellationTokenSource limit = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        limit.CancelAfter(TestTimeout.Value);
        while (true)
        {
            Task change;
            lock (_lock)
            {
                SignedNodeRecord[] live = [.. Live()];
                if (wanted(live)) return live;

                change = _changed.Task;
            }

            await change.WaitAsync(limit.Token);
        }
    }

    /// <summary>Waits until so many nodes serve.</summary>
    public Task<IReadOnlyList<SignedNodeRecord>> WaitForReadyAsync(int nodes) => WaitAsync(records =>
        records.Count(record => record.Record.Serving.Any(served => served.State == ServingState.Ready)) == nodes);

    private IEnumerable<SignedNodeRecord> Live() => _records.Values.Where(record => !record.Record.Withdrawn);

    private async Task AnswerAsync(CancellationToken cancellationToken)
    {
        await _answers.Task.WaitAsync(cancellationToken);
        lock (_lock)
        {
            if (_away) throw new DirectoryUnavailableException("away");
        }
    }

    private async Task StoreAsync(SignedNodeRecord record, NodeChangeKind kind, CancellationToken cancellationToken)
    {
        await AnswerAsync(cancellationToken);
        lock (_lock)
        {
            if (_records.TryGetValue(record.NodeId, out SignedNodeRecord? known) && known.Record.Sequence >= record.Record.Sequence)
            {
                throw new NodeRecordException("The sequence is not above the stored one's.");
            }

            _records[record.NodeId] = record;
            Tell(new NodeChange(kind, record));
            Signal();
        }
    }

    private void Tell(NodeChange change)
    {
        foreach (ChannelWriter<NodeChange> watcher in _watchers) watcher.TryWrite(change);
    }

    private void Signal()
    {
        TaskCompletionSource before = _changed;
        _changed = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        before.SetResult();
    }
}
