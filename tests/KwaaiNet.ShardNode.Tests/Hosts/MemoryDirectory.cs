using KwaaiNet.Protocol.Discovery;
using KwaaiNet.Protocol.Nodes;
using KwaaiNet.Protocol.Wire;
using KwaaiNet.ShardNode.Tests.Fakes;

namespace KwaaiNet.ShardNode.Tests.Hosts;

/// <summary>A directory of this process; tests wait on what it holds.</summary>
internal sealed class MemoryDirectory : INodeDirectory
{
    private readonly Lock _lock = new();
    private readonly Dictionary<string, SignedNodeRecord> _records = [];
    private TaskCompletionSource _changed = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public Task AnnounceAsync(SignedNodeRecord record, CancellationToken cancellationToken = default) => StoreAsync(record);

    public Task WithdrawAsync(SignedNodeRecord tombstone, CancellationToken cancellationToken = default) => StoreAsync(tombstone);

    /// <summary>Takes a node out as if its time to live had passed.</summary>
    public void Expire(string nodeId)
    {
        lock (_lock)
        {
            _records.Remove(nodeId);
            Signal();
        }
    }

    public Task<IReadOnlyList<SignedNodeRecord>> LookupAsync(NodeQuery query, CancellationToken cancellationToken = default)
    {
        lock (_lock)
        {
            return Task.FromResult<IReadOnlyList<SignedNodeRecord>>([.. Live().Where(record =>
                query.Model is null || record.Record.Serving.Any(served => served.Model == query.Model))]);
        }
    }

    public IAsyncEnumerable<NodeChange> WatchAsync(NodeQuery query, CancellationToken cancellationToken = default) => throw new NotSupportedException();

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

    private Task StoreAsync(SignedNodeRecord record)
    {
        lock (_lock)
        {
            if (_records.TryGetValue(record.NodeId, out SignedNodeRecord? known) && known.Record.Sequence >= record.Record.Sequence)
            {
                throw new NodeRecordException("The sequence is not above the stored one's.");
            }

            _records[record.NodeId] = record;
            Signal();
        }

        return Task.CompletedTask;
    }

    private void Signal()
    {
        TaskCompletionSource before = _changed;
        _changed = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        before.SetResult();
    }
}
