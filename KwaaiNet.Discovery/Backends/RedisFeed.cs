using KwaaiNet.Protocol.Discovery;
using KwaaiNet.Protocol.Nodes;
using StackExchange.Redis;

namespace KwaaiNet.Discovery.Backends;

/// <summary>What this process knows of the directory during one unbroken subscription, and the watchers it tells. Lost as a whole when the connection is.</summary>
/// <remarks>
/// Subscribes first and reads the directory second; sequences settle which of the two was newer. A record whose time is over is asked for
/// once more before it is called expired, so that a message that went missing ends nobody.
/// </remarks>
internal sealed partial class RedisFeed(RedisDirectory directory, TimeProvider time, ILogger logger)
{
    private const int SweepsPerEcho = 10;
    private static readonly TimeSpan s_sweep = TimeSpan.FromMilliseconds(100);

    // Two echoes may be under way beyond the time that one may take.
    private static readonly TimeSpan s_echoes = 2 * SweepsPerEcho * s_sweep;

    private readonly Lock _lock = new();
    private readonly Dictionary<string, Known> _known = new(StringComparer.Ordinal);
    private readonly List<RedisWatcher> _watchers = [];
    private readonly CancellationTokenSource _over = new();
    private ChannelMessageQueue? _queue;
    private long _heard;
    private DirectoryUnavailableException? _lost;

    /// <summary>Whether this feed has ended.</summary>
    public bool IsLost => Volatile.Read(ref _lost) is not null;

    /// <summary>Subscribes and reads what is there.</summary>
    /// <exception cref="DirectoryUnavailableException">The backend could not be reached.</exception>
    public async Task OpenAsync(RedisConnection connection, CancellationToken cancellationToken)
    {
        ChannelMessageQueue queue = await connection.SubscribeAsync(RedisKeys.Changes, cancellationToken).ConfigureAwait(false);
        lock (_lock)
        {
            _queue = queue;
            if (_lost is not null)
                queue.Unsubscribe(CommandFlags.FireAndForget);
        }

        queue.OnMessage(OnMessage);
        string[] ids = await directory.ReadIdsAsync(cancellationToken).ConfigureAwait(false);
        foreach (string[] batch in ids.Chunk(256))
        {
            foreach ((SignedNodeRecord Record, TimeSpan Left)? read in await Task.WhenAll(batch.Select(id => directory.ReadAsync(id, cancellationToken))).ConfigureAwait(false))
            {
                if (read is { } found)
                    Apply(found.Record, found.Left);
            }
        }

        lock (_lock)
        {
            if (_lost is not null)
                throw _lost;
        }

        Volatile.Write(ref _heard, Now());
        _ = SweepAsync(connection);
    }

    /// <summary>Begins a watch: what is live now, and every change from now on.</summary>
    /// <exception cref="DirectoryUnavailableException">The feed was lost.</exception>
    public RedisWatcher Watch(NodeQuery query)
    {
        lock (_lock)
        {
            if (_lost is not null)
                throw _lost;
            RedisWatcher watcher = new(query, [.. _known.Values.Where(known => known.IsLive).Select(known => known.Record).Where(query.Matches)], End);
            _watchers.Add(watcher);
            return watcher;
        }
    }

    /// <summary>Takes a record that is stored now; nothing happens when a newer one, or this one, is known.</summary>
    public void Apply(SignedNodeRecord record, TimeSpan left)
    {
        lock (_lock)
        {
            if (_known.TryGetValue(record.NodeId, out Known? known) && known.Record.Record.Sequence >= record.Record.Sequence)
                return;
            bool live = !record.Record.Withdrawn;
            _known[record.NodeId] = new Known(record, live, Now() + (long)left.TotalMilliseconds + 1);
            if (live || known is { IsLive: true })
                Tell(new NodeChange(live ? NodeChangeKind.Announced : NodeChangeKind.Withdrawn, record));
        }
    }

    /// <summary>Ends the feed: its watchers get <paramref name="reason"/>.</summary>
    public void Lose(DirectoryUnavailableException reason)
    {
        RedisWatcher[] watchers;
        lock (_lock)
        {
            if (_lost is not null)
                return;
            _lost = reason;
            watchers = [.. _watchers];
            _watchers.Clear();
            _queue?.Unsubscribe(CommandFlags.FireAndForget);
        }

        _over.Cancel();
        foreach (RedisWatcher watcher in watchers)
            watcher.Fail(reason);
    }

    private void End(RedisWatcher watcher)
    {
        lock (_lock)
            _watchers.Remove(watcher);
    }

    private void OnMessage(ChannelMessage message)
    {
        Volatile.Write(ref _heard, Now());
        if (!message.Message.IsNullOrEmpty && directory.TryRead(null, (byte[])message.Message!) is { } record)
            Apply(record, record.Record.Withdrawn ? RedisDirectory.Retention : TimeSpan.FromMilliseconds(record.Record.TtlMs));
    }

    // Under the lock, so that every watcher sees changes in the order they were applied.
    private void Tell(NodeChange change)
    {
        for (int i = _watchers.Count - 1; i >= 0; i--)
        {
            if (!_watchers[i].Offer(change))
                _watchers.RemoveAt(i);
        }
    }

    private async Task SweepAsync(RedisConnection connection)
    {
        try
        {
            using PeriodicTimer timer = new(s_sweep, time);
            for (int sweep = 1; await timer.WaitForNextTickAsync(_over.Token).ConfigureAwait(false); sweep++)
            {
                if (sweep % SweepsPerEcho == 0)
                    await EchoAsync(connection).ConfigureAwait(false);
                Known[] due = TakeDue();
                // A server that takes no writes ends records that are as good as ever.
                if (due.Length > 0)
                    await connection.ProbeAsync(_over.Token).ConfigureAwait(false);
                foreach (Known known in due)
                    await ExpireAsync(known).ConfigureAwait(false);
            }
        }
        catch (OperationCanceledException) when (_over.IsCancellationRequested)
        {
            // The feed is lost.
        }
        catch (DirectoryUnavailableException error)
        {
            LogSweepFailed(error.Message);
            Lose(error);
        }
    }

    // A subscription that went silent looks like a directory where nothing happens. An empty message to oneself tells them apart.
    private async Task EchoAsync(RedisConnection connection)
    {
        if (Now() - Volatile.Read(ref _heard) > (connection.Patience + s_echoes).TotalMilliseconds)
            throw connection.Unavailable();
        await connection.CallAsync(redis => redis.PublishAsync(RedisKeys.Changes, RedisValue.EmptyString), _over.Token).ConfigureAwait(false);
    }

    private Known[] TakeDue()
    {
        long now = Now();
        lock (_lock)
        {
            Known[] due = [.. _known.Values.Where(known => known.Deadline <= now)];
            foreach (Known memory in due.Where(known => !known.IsLive))
                _known.Remove(memory.Record.NodeId);
            return [.. due.Where(known => known.IsLive)];
        }
    }

    private async Task ExpireAsync(Known due)
    {
        string nodeId = due.Record.NodeId;
        (SignedNodeRecord Record, TimeSpan Left)? stored = await directory.ReadAsync(nodeId, _over.Token).ConfigureAwait(false);
        lock (_lock)
        {
            if (!_known.TryGetValue(nodeId, out Known? known) || !ReferenceEquals(known, due))
                return;
            if (stored is null)
            {
                // Its sequence is remembered for a while: a late message must not bring it back.
                _known[nodeId] = due with { IsLive = false, Deadline = Now() + (long)RedisDirectory.Retention.TotalMilliseconds };
                Tell(new NodeChange(NodeChangeKind.Expired, due.Record));
            }
            else if (stored.Value.Record.Record.Sequence == due.Record.Record.Sequence)
            {
                _known[nodeId] = due with { Deadline = Now() + (long)stored.Value.Left.TotalMilliseconds + 1 };
            }
            else
            {
                Apply(stored.Value.Record, stored.Value.Left);
            }
        }
    }

    // Milliseconds of a clock that nobody sets.
    private long Now() => (long)time.GetElapsedTime(0, time.GetTimestamp()).TotalMilliseconds;

    [LoggerMessage(LogLevel.Debug, "A record could not be checked for expiry: {Reason}")]
    private partial void LogSweepFailed(string reason);

    private sealed record Known(SignedNodeRecord Record, bool IsLive, long Deadline);
}
