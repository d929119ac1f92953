using System.Collections.Concurrent;
using System.Globalization;
using System.Runtime.CompilerServices;
using Google.Protobuf;
using KwaaiNet.Protocol.Discovery;
using KwaaiNet.Protocol.Nodes;
using KwaaiNet.Protocol.Wire;
using StackExchange.Redis;

namespace KwaaiNet.Discovery.Backends;

/// <summary>The directory in Redis, or in anything that speaks its protocol. See <see cref="RedisKeys"/> for what lies where.</summary>
/// <remarks>
/// Redis keeps the truth: a record lives as long as its key. Watchers hear of changes by publish/subscribe, and of expiry from
/// <see cref="RedisFeed"/>, which asks Redis when a record's time is over.
/// </remarks>
internal sealed class RedisDirectory : IDirectoryBackend
{
    /// <summary>How long a withdrawn or expired node's sequence is remembered. Longer than a record can be replayed: older ones are refused by their date.</summary>
    public static readonly TimeSpan Retention = 3 * SignedNodeRecord.MaxClockSkew;

    private const int BatchSize = 512;

    // Over a network: longer than any healthy server takes, short enough for a node to try another service.
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(3);

    private readonly RedisConnection _connection;
    private readonly int _maxNodes;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly SemaphoreSlim _opening = new(1, 1);
    // Verifying costs more than reading: what came with the very same bytes has been verified.
    private readonly ConcurrentDictionary<string, (byte[] Wire, SignedNodeRecord Record)> _verified = new(StringComparer.Ordinal);
    private RedisFeed? _feed;
    private bool _disposed;

    public RedisDirectory(RedisConnection connection, int maxNodes, TimeProvider time, ILogger<RedisDirectory> logger)
    {
        _connection = connection;
        _maxNodes = maxNodes;
        _time = time;
        _logger = logger;
        _connection.Lost += LoseFeed;
    }

    /// <inheritdoc/>
    public string Name => _connection.Name;

    /// <summary>A directory at a Redis server, which need not be up yet.</summary>
    public static RedisDirectory Connect(string connectionString, int maxNodes, TimeProvider time, ILoggerFactory loggers)
    {
        ConfigurationOptions options = ConfigurationOptions.Parse(connectionString, ignoreUnknown: true);
        string name = "Redis at " + string.Join(", ", options.EndPoints.Select(Format));
        return new RedisDirectory(new RedisConnection(options, name, s_patience, loggers.CreateLogger<RedisConnection>()), maxNodes, time, loggers.CreateLogger<RedisDirectory>());
    }

    /// <inheritdoc/>
    public async Task AnnounceAsync(SignedNodeRecord record, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(record);
        if (record.Record.Withdrawn)
            throw new NodeRecordException("withdrawn is true: a tombstone is withdrawn, not announced.");
        await StoreAsync(record, TimeSpan.FromMilliseconds(record.Record.TtlMs), cancellationToken).ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public async Task WithdrawAsync(SignedNodeRecord tombstone, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(tombstone);
        if (!tombstone.Record.Withdrawn)
            throw new NodeRecordException("withdrawn is false: only a tombstone ends a record.");
        await StoreAsync(tombstone, Retention, cancellationToken).ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public async Task<IReadOnlyList<SignedNodeRecord>> LookupAsync(NodeQuery query, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(query);
        // Records that nobody can renew end one after the other: what is left would be taken for all there is.
        _connection.ThrowIfRefused();
        string[] ids = query.NodeId is not null ? [query.NodeId] : await ReadIdsAsync(cancellationToken).ConfigureAwait(false);
        List<SignedNodeRecord> found = new(ids.Length);
        foreach (string[] batch in ids.Chunk(BatchSize))
        {
            RedisKey[] keys = [.. batch.Select(RedisKeys.Record)];
            RedisValue[] values = await _connection.CallAsync(redis => redis.StringGetAsync(keys), cancellationToken).ConfigureAwait(false);
            for (int i = 0; i < batch.Length; i++)
            {
                if (values[i].IsNull)
                    await ForgetAsync(batch[i], cancellationToken).ConfigureAwait(false);
                else if (TryRead(batch[i], (byte[])values[i]!) is { Record.Withdrawn: false } record && query.Matches(record))
                    found.Add(record);
            }
        }

        return found;
    }

    /// <inheritdoc/>
    public async IAsyncEnumerable<NodeChange> WatchAsync(NodeQuery query, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(query);
        RedisFeed feed = await OpenFeedAsync(cancellationToken).ConfigureAwait(false);
        using RedisWatcher watcher = feed.Watch(query);
        foreach (SignedNodeRecord record in watcher.Snapshot)
            yield return new NodeChange(NodeChangeKind.Announced, record);
        yield return new NodeChange(NodeChangeKind.SnapshotEnd, null);
        await foreach (NodeChange change in watcher.Changes.ReadAllAsync(cancellationToken).ConfigureAwait(false))
            yield return change;
    }

    /// <inheritdoc/>
    public Task SignInAsync(CancellationToken cancellationToken = default) => _connection.SignInAsync(cancellationToken);

    /// <inheritdoc/>
    public Task PingAsync(CancellationToken cancellationToken = default) => _connection.ProbeAsync(cancellationToken);

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        if (_disposed)
            return;
        _disposed = true;
        _connection.Lost -= LoseFeed;
        LoseFeed();
        await _connection.DisposeAsync().ConfigureAwait(false);
    }

    /// <summary>Every node that may be live.</summary>
    internal async Task<string[]> ReadIdsAsync(CancellationToken cancellationToken)
    {
        RedisValue[] members = await _connection.CallAsync(redis => redis.SetMembersAsync(RedisKeys.Nodes), cancellationToken).ConfigureAwait(false);
        if (_verified.Count > (2 * members.Length) + BatchSize)
            _verified.Clear();
        return [.. members.Select(member => (string)member!)];
    }

    /// <summary>A node's record and how long it still lives; null when it is gone, in which case its id is forgotten.</summary>
    internal async Task<(SignedNodeRecord Record, TimeSpan Left)?> ReadAsync(string nodeId, CancellationToken cancellationToken)
    {
        RedisValueWithExpiry value = await _connection.CallAsync(redis => ReadAsync(redis, nodeId), cancellationToken).ConfigureAwait(false);
        if (value.Value.IsNull || value.Expiry is not TimeSpan left)
        {
            await ForgetAsync(nodeId, cancellationToken).ConfigureAwait(false);
            return null;
        }

        return TryRead(nodeId, (byte[])value.Value!) is { } record ? (record, left) : null;
    }

    /// <summary>Verifies stored or published bytes; null when they are not a record of <paramref name="nodeId"/> (null: of anybody).</summary>
    internal SignedNodeRecord? TryRead(string? nodeId, byte[] wire)
    {
        if (nodeId is not null && _verified.TryGetValue(nodeId, out (byte[] Wire, SignedNodeRecord Record) known) && known.Wire.AsSpan().SequenceEqual(wire))
            return known.Record;
        try
        {
            SignedNodeRecord record = SignedNodeRecord.Verify(SignedRecord.Parser.ParseFrom(wire), _time);
            if (nodeId is not null && record.NodeId != nodeId)
                return null;
            _verified[record.NodeId] = (wire, record);
            return record;
        }
        catch (Exception error) when (error is NodeRecordException or InvalidProtocolBufferException)
        {
            // Somebody else can write to this Redis. What they wrote is nobody's record.
            return null;
        }
    }

    private static async Task<RedisValueWithExpiry> ReadAsync(IDatabase redis, string nodeId)
    {
        Task<RedisValue> value = redis.StringGetAsync(RedisKeys.Record(nodeId));
        Task<TimeSpan?> left = redis.KeyTimeToLiveAsync(RedisKeys.Record(nodeId));
        return new RedisValueWithExpiry(await value.ConfigureAwait(false), await left.ConfigureAwait(false));
    }

    private async Task StoreAsync(SignedNodeRecord record, TimeSpan life, CancellationToken cancellationToken)
    {
        NodeRecord said = record.Record;
        TimeSpan age = _time.GetUtcNow() - DateTimeOffset.FromUnixTimeMilliseconds(said.IssuedUnixMs);
        TimeSpan ttl = TimeSpan.FromMilliseconds(said.TtlMs);
        if (age > ttl + SignedNodeRecord.MaxClockSkew)
            throw new NodeRecordException($"issued_unix_ms is {said.IssuedUnixMs}: {age.TotalMinutes:0} minutes ago, longer than the record lives; set the clocks.");
        byte[] wire = record.Wire.ToByteArray();
        RedisKey[] keys = [RedisKeys.Record(said.NodeId), RedisKeys.Sequence(said.NodeId), RedisKeys.Nodes];
        RedisValue[] values =
        [
            said.Sequence.ToString("D20", CultureInfo.InvariantCulture), wire, (long)life.TotalMilliseconds, (long)(ttl + Retention).TotalMilliseconds,
            said.NodeId, (string)RedisKeys.Changes!, said.Withdrawn ? "1" : "0", _maxNodes,
        ];
        string answer = (string?)await _connection.WriteAsync(redis => redis.ScriptEvaluateAsync(RedisScripts.Store, keys, values), cancellationToken).ConfigureAwait(false) ?? "";
        if (answer == RedisScripts.Full)
            throw new DirectoryUnavailableException($"The directory holds {_maxNodes} nodes and takes no more. Raise Discovery:MaxNodes.");
        if (answer.Length > 0)
        {
            ulong stored = ulong.Parse(answer, NumberStyles.None, CultureInfo.InvariantCulture);
            throw new NodeRecordException($"sequence is {said.Sequence}: not above the stored one, {stored}.") { StoredSequence = stored };
        }

        _verified[said.NodeId] = (wire, record);
        // The message about it is on its way; who announces here and then watches here must not miss it until it comes.
        Volatile.Read(ref _feed)?.Apply(record, life);
    }

    private async Task ForgetAsync(string nodeId, CancellationToken cancellationToken) =>
        await _connection.WriteAsync(
            redis => redis.ScriptEvaluateAsync(RedisScripts.Forget, [RedisKeys.Record(nodeId), RedisKeys.Nodes], [nodeId]), cancellationToken).ConfigureAwait(false);

    private async Task<RedisFeed> OpenFeedAsync(CancellationToken cancellationToken)
    {
        await _opening.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            if (Volatile.Read(ref _feed) is { IsLost: false } live)
                return live;
            return await OpenNewFeedAsync(cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            _opening.Release();
        }
    }

    private async Task<RedisFeed> OpenNewFeedAsync(CancellationToken cancellationToken)
    {
        long start = _time.GetTimestamp();
        while (true)
        {
            bool settled = await _connection.SettleAsync(cancellationToken).ConfigureAwait(false);
            await _connection.ProbeAsync(cancellationToken).ConfigureAwait(false);
            RedisFeed feed = new(this, _time, _logger);
            // From here on a lost connection loses this feed too, even while it loads.
            Volatile.Write(ref _feed, feed);
            try
            {
                await feed.OpenAsync(_connection, cancellationToken).ConfigureAwait(false);
                return feed;
            }
            catch (DirectoryUnavailableException) when (settled && _time.GetElapsedTime(start) < _connection.Patience * 2 / 3)
            {
                // A connection that was being made, or made again, took the feed with it; the server is there. One that hangs does not get here: a call takes longer.
                feed.Lose(_connection.Unavailable());
            }
            catch
            {
                feed.Lose(_connection.Unavailable());
                throw;
            }
        }
    }

    private void LoseFeed() => Interlocked.Exchange(ref _feed, null)?.Lose(_connection.Unavailable());

    private static string Format(System.Net.EndPoint endPoint) => endPoint switch
    {
        System.Net.DnsEndPoint dns => $"{dns.Host}:{dns.Port}",
        _ => endPoint.ToString() ?? "?",
    };
}
