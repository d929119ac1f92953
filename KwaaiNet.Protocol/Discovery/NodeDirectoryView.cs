using KwaaiNet.Protocol.Nodes;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace KwaaiNet.Protocol.Discovery;

/// <summary>A live copy of the directory in memory: kept by a watch, expired by itself, read without waiting. Safe for concurrent use.</summary>
/// <remarks>
/// While the directory is lost nobody can renew a record, so the last known records stay (<see cref="NodeDirectorySnapshot.IsLive"/> is
/// false) and the network goes on working: who is really gone shows when called. After <see cref="MaxLostTime"/> they are given up. After the watch is back, records it does not name have
/// one more ttl to be announced again, so that a directory that lost its memory does not empty every node's view at once.
/// </remarks>
public sealed partial class NodeDirectoryView : BackgroundService
{
    /// <summary>First wait before watching again; it doubles up to <see cref="MaxRetryDelay"/>.</summary>
    public static readonly TimeSpan FirstRetryDelay = TimeSpan.FromMilliseconds(250);

    /// <summary>Longest wait before watching again.</summary>
    public static readonly TimeSpan MaxRetryDelay = TimeSpan.FromSeconds(5);

    /// <summary>How long the last known records are kept while the directory is lost.</summary>
    public static readonly TimeSpan MaxLostTime = TimeSpan.FromHours(1);

    private readonly INodeDirectory _directory;
    private readonly NodeQuery _query;
    private readonly TimeProvider _time;
    private readonly ILogger<NodeDirectoryView> _logger;
    private readonly ITimer _expiry;
    private readonly Lock _lock = new();
    private readonly Dictionary<string, long> _deadlines = new(StringComparer.Ordinal);
    private NodeDirectorySnapshot _current = NodeDirectorySnapshot.Empty;
    private TaskCompletionSource _next = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private bool _lossLogged;
    private long? _lostAt;

    /// <summary>A view of the records that match a query; it fills once started as a hosted service.</summary>
    public NodeDirectoryView(INodeDirectory directory, NodeQuery query, TimeProvider time, ILogger<NodeDirectoryView> logger)
    {
        ArgumentNullException.ThrowIfNull(directory);
        ArgumentNullException.ThrowIfNull(query);
        ArgumentNullException.ThrowIfNull(time);
        _directory = directory;
        _query = query;
        _time = time;
        _logger = logger;
        _expiry = time.CreateTimer(_ => Expire(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    /// <summary>The newest snapshot was replaced. Handlers run on the view's own thread: they take the snapshot and return.</summary>
    public event Action<NodeDirectorySnapshot>? Changed;

    /// <summary>The newest snapshot.</summary>
    public NodeDirectorySnapshot Current => Volatile.Read(ref _current);

    /// <summary>Waits until the view holds something newer than <paramref name="seen"/>, which may be so already.</summary>
    public async Task<NodeDirectorySnapshot> WaitForChangeAsync(NodeDirectorySnapshot seen, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(seen);
        while (true)
        {
            Task next;
            lock (_lock)
            {
                if (_current.Version != seen.Version)
                    return _current;
                next = _next.Task;
            }

            await next.WaitAsync(cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>Waits until a snapshot fulfils a condition, which may be so already.</summary>
    public async Task<NodeDirectorySnapshot> WaitUntilAsync(Func<NodeDirectorySnapshot, bool> condition, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(condition);
        NodeDirectorySnapshot snapshot = Current;
        while (!condition(snapshot))
            snapshot = await WaitForChangeAsync(snapshot, cancellationToken).ConfigureAwait(false);
        return snapshot;
    }

    /// <inheritdoc/>
    public override void Dispose()
    {
        _expiry.Dispose();
        base.Dispose();
        GC.SuppressFinalize(this);
    }

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        TimeSpan retry = FirstRetryDelay;
        try
        {
            while (true)
            {
                string? reason = null;
                try
                {
                    await WatchOnceAsync(() => retry = FirstRetryDelay, stoppingToken).ConfigureAwait(false);
                }
                catch (Exception error) when (error is DirectoryUnavailableException or NodeRecordException)
                {
                    if (!_lossLogged)
                        LogLost(error.Message);
                    _lossLogged = true;
                    reason = (error as DirectoryUnavailableException)?.Word;
                }

                Lose(reason);
                await Task.Delay(retry, _time, stoppingToken).ConfigureAwait(false);
                retry = retry * 2 < MaxRetryDelay ? retry * 2 : MaxRetryDelay;
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // The host stops.
        }
    }

    private async Task WatchOnceAsync(Action onLive, CancellationToken stoppingToken)
    {
        await foreach (NodeChange change in _directory.WatchAsync(_query, stoppingToken).ConfigureAwait(false))
        {
            if (change.Kind == NodeChangeKind.SnapshotEnd)
            {
                onLive();
                GoLive();
            }
            else if (change.Record is { } record)
            {
                Apply(change.Kind, record);
            }
        }
    }

    private void Apply(NodeChangeKind kind, SignedNodeRecord record) => Update(current =>
    {
        current.Records.TryGetValue(record.NodeId, out SignedNodeRecord? known);
        if (known is not null && known.Record.Sequence > record.Record.Sequence)
            return current;
        // A record that no longer matches (the node serves something else now) leaves the view.
        if (kind == NodeChangeKind.Announced && _query.Matches(record))
        {
            _deadlines[record.NodeId] = Now() + record.Record.TtlMs;
            return current with { Records = current.Records.SetItem(record.NodeId, record) };
        }

        _deadlines.Remove(record.NodeId);
        return known is null ? current : current with { Records = current.Records.Remove(record.NodeId) };
    });

    private void GoLive()
    {
        if (_lossLogged)
            LogBack();
        _lossLogged = false;
        Update(current =>
        {
            // Time did not count while nobody could renew.
            long now = Now();
            _lostAt = null;
            foreach ((string nodeId, SignedNodeRecord record) in current.Records)
            {
                if (_deadlines.GetValueOrDefault(nodeId) <= now + record.Record.TtlMs)
                    _deadlines[nodeId] = now + record.Record.TtlMs;
            }

            return current with { IsLive = true, LossReason = null };
        });
    }

    private void Lose(string? reason) => Update(current =>
    {
        _lostAt ??= Now();
        return current.IsLive || current.LossReason != reason ? current with { IsLive = false, LossReason = reason } : current;
    });

    private void Expire() => Update(current =>
    {
        long now = Now();
        if (!current.IsLive)
        {
            if (current.Records.IsEmpty || !(now >= _lostAt + (long)MaxLostTime.TotalMilliseconds))
                return current;
            LogGivenUp(current.Records.Count, MaxLostTime.TotalMinutes);
            _deadlines.Clear();
            return current with { Records = current.Records.Clear() };
        }

        string[] expired = [.. _deadlines.Where(deadline => deadline.Value <= now).Select(deadline => deadline.Key)];
        foreach (string nodeId in expired)
            _deadlines.Remove(nodeId);
        return expired.Length == 0 ? current : current with { Records = current.Records.RemoveRange(expired) };
    });

    // Computes the next snapshot under the lock, then tells everybody outside it.
    private void Update(Func<NodeDirectorySnapshot, NodeDirectorySnapshot> compute)
    {
        TaskCompletionSource waiting;
        NodeDirectorySnapshot next;
        lock (_lock)
        {
            NodeDirectorySnapshot computed = compute(_current);
            Schedule(computed);
            if (ReferenceEquals(computed, _current))
                return;
            next = computed with { Version = _current.Version + 1 };
            Volatile.Write(ref _current, next);
            waiting = _next;
            _next = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        }

        waiting.SetResult();
        Changed?.Invoke(next);
    }

    private void Schedule(NodeDirectorySnapshot next)
    {
        long? deadline = next.IsLive
            ? _deadlines.Count > 0 ? _deadlines.Values.Min() : null
            : next.Records.IsEmpty ? null : _lostAt + (long)MaxLostTime.TotalMilliseconds;
        TimeSpan due = deadline is { } at ? TimeSpan.FromMilliseconds(Math.Max(at - Now(), 1)) : Timeout.InfiniteTimeSpan;

        try
        {
            _expiry.Change(due, Timeout.InfiniteTimeSpan);
        }
        catch (ObjectDisposedException)
        {
            // A last change while the host stops.
        }
    }

    // Milliseconds of a clock that nobody sets.
    private long Now() => (long)_time.GetElapsedTime(0, _time.GetTimestamp()).TotalMilliseconds;

    [LoggerMessage(LogLevel.Warning, "The directory is lost; going on with the nodes known so far, for an hour at most, and trying again. {Reason}")]
    private partial void LogLost(string reason);

    [LoggerMessage(LogLevel.Warning, "The directory has been lost for {Minutes:0} minutes: giving up the {Nodes} nodes that were known.")]
    private partial void LogGivenUp(int nodes, double minutes);

    [LoggerMessage(LogLevel.Information, "The directory is back.")]
    private partial void LogBack();
}
