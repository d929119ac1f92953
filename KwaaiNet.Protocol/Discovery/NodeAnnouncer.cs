using KwaaiNet.Protocol.Nodes;
using KwaaiNet.Protocol.Transport;
using KwaaiNet.Protocol.Wire;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace KwaaiNet.Protocol.Discovery;

/// <summary>Keeps this node's record in the directory: announces on every heartbeat and at once after <see cref="AnnounceNowAsync"/>, withdraws when the host stops.</summary>
/// <remarks>An unreachable directory is logged once and tried again with back-off; the node goes on serving. Sequences come from the clock in milliseconds, so that they grow over restarts too.</remarks>
public abstract partial class NodeAnnouncer : BackgroundService
{
    /// <summary>First wait after a failed announcement; it doubles up to the heartbeat.</summary>
    public static readonly TimeSpan FirstRetryDelay = TimeSpan.FromMilliseconds(250);

    /// <summary>How often a node looks whether what it announced still holds.</summary>
    public static readonly TimeSpan NewsInterval = TimeSpan.FromMilliseconds(500);

    /// <summary>How long the withdrawal at stop may take.</summary>
    public static readonly TimeSpan WithdrawTimeout = TimeSpan.FromSeconds(2);

    private static readonly string s_software = "kwaainet/" + (typeof(NodeAnnouncer).Assembly.GetName().Version?.ToString(3) ?? "0");

    private readonly NodeAnnouncerDependencies _dependencies;
    private readonly NodeOptions _options;
    private readonly ILogger _logger;
    private readonly SemaphoreSlim _signing = new(1, 1);
    private ulong _lastSequence;
    private bool _withdrawn;
    private bool? _reachable;

    /// <summary>An announcer of the node described by <paramref name="dependencies"/>.</summary>
    protected NodeAnnouncer(NodeAnnouncerDependencies dependencies)
    {
        ArgumentNullException.ThrowIfNull(dependencies);
        _dependencies = dependencies;
        _options = dependencies.Options.Value;
        _logger = dependencies.LoggerFactory.CreateLogger(GetType());
        StartedUnixMs = dependencies.Time.GetUtcNow().ToUnixTimeMilliseconds();
    }

    /// <summary>When this host was made, in Unix milliseconds: what others saw of this node before was another process.</summary>
    public long StartedUnixMs { get; }

    /// <summary>The record signed last; null before the first one.</summary>
    public SignedNodeRecord? Current { get; private set; }

    /// <summary>The record that the directory took last; null before the first one.</summary>
    public SignedNodeRecord? Announced { get; private set; }

    /// <summary>Fills the fields that are this host's own (role, serving); identity, endpoints, sequence, times, start, memory and versions are filled in by the announcer.</summary>
    protected abstract void Describe(NodeRecord record);

    /// <summary>Whether so much has changed since a record was announced that others should not have to wait for the heartbeat. Asked every <see cref="NewsInterval"/>.</summary>
    protected virtual bool HasNews(NodeRecord announced) => false;

    /// <summary>Announces what <see cref="Describe"/> says now, and waits until the directory has it.</summary>
    /// <remarks>Waits for the ports to be bound. Without a directory it only renews <see cref="Current"/>. After the withdrawal it does nothing.</remarks>
    /// <exception cref="DirectoryUnavailableException">The directory could not be reached.</exception>
    /// <exception cref="NodeRecordException">The directory does not believe the record.</exception>
    public async Task AnnounceNowAsync(CancellationToken cancellationToken = default)
    {
        (string? grpc, string? http) = (
            await _dependencies.Endpoints.GetGrpcAsync(cancellationToken).ConfigureAwait(false),
            await _dependencies.Endpoints.GetHttpAsync(cancellationToken).ConfigureAwait(false));
        // One announcement at a time: a later record must not overtake an earlier one and have it refused.
        await _signing.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            if (_withdrawn)
                return;
            SignedNodeRecord record = Sign(grpc, http, withdrawn: false);
            Current = record;
            if (_dependencies.Directory is not { } directory)
                return;
            await directory.AnnounceAsync(record, cancellationToken).ConfigureAwait(false);
            Announced = record;
        }
        catch (NodeRecordException error) when (error.StoredSequence is ulong stored)
        {
            // This machine's clock was set back since the last start: go on above what the directory remembers.
            _lastSequence = Math.Max(_lastSequence, stored);
            throw;
        }
        finally
        {
            _signing.Release();
        }
    }

    /// <summary>The node's own signed record as it is now, for peers that ask the node itself. Waits for the ports to be bound; tells the directory nothing.</summary>
    public async Task<SignedNodeRecord> SignNowAsync(CancellationToken cancellationToken = default)
    {
        string? grpc = await _dependencies.Endpoints.GetGrpcAsync(cancellationToken).ConfigureAwait(false);
        string? http = await _dependencies.Endpoints.GetHttpAsync(cancellationToken).ConfigureAwait(false);
        await _signing.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            return Sign(grpc, http, _withdrawn);
        }
        finally
        {
            _signing.Release();
        }
    }

    /// <inheritdoc/>
    public override async Task StopAsync(CancellationToken cancellationToken)
    {
        await base.StopAsync(cancellationToken).ConfigureAwait(false);
        await WithdrawAsync(cancellationToken).ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public override void Dispose()
    {
        _signing.Dispose();
        base.Dispose();
        GC.SuppressFinalize(this);
    }

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        TimeSpan heartbeat = TimeSpan.FromMilliseconds(_options.HeartbeatMilliseconds);
        TimeSpan retry = FirstRetryDelay;
        while (!stoppingToken.IsCancellationRequested)
        {
            try
            {
                bool reached = await TryAnnounceAsync(stoppingToken).ConfigureAwait(false);
                TimeSpan wait = reached ? heartbeat : retry < heartbeat ? retry : heartbeat;
                retry = reached ? FirstRetryDelay : wait * 2;
                await WaitAsync(wait, stoppingToken).ConfigureAwait(false);
            }
            catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
            {
                return;
            }
        }
    }

    // Until the time is up, or what the directory has no longer holds.
    private async Task WaitAsync(TimeSpan wait, CancellationToken stoppingToken)
    {
        long start = _dependencies.Time.GetTimestamp();
        for (TimeSpan left = wait; left > TimeSpan.Zero; left = wait - _dependencies.Time.GetElapsedTime(start))
        {
            await Task.Delay(left < NewsInterval ? left : NewsInterval, _dependencies.Time, stoppingToken).ConfigureAwait(false);
            if (Announced is { } announced && HasNews(announced.Record))
                return;
        }
    }

    private async Task<bool> TryAnnounceAsync(CancellationToken stoppingToken)
    {
        try
        {
            await AnnounceNowAsync(stoppingToken).ConfigureAwait(false);
            if (_reachable != true && _dependencies.Directory is not null)
                LogAnnounced(_options.Network);
            _reachable = true;
            return true;
        }
        catch (Exception error) when (error is DirectoryUnavailableException or NodeRecordException)
        {
            // Said once: a directory that stays away must not fill the log.
            if (_reachable != false)
                LogNotAnnounced(error.Message);
            _reachable = false;
            return false;
        }
    }

    private async Task WithdrawAsync(CancellationToken cancellationToken)
    {
        using CancellationTokenSource limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(WithdrawTimeout);
        try
        {
            await _signing.WaitAsync(limit.Token).ConfigureAwait(false);
            try
            {
                if (_withdrawn || Announced is null)
                    return;
                _withdrawn = true;
                SignedNodeRecord tombstone = Sign(null, null, withdrawn: true);
                await _dependencies.Directory!.WithdrawAsync(tombstone, limit.Token).ConfigureAwait(false);
                LogWithdrawn();
            }
            finally
            {
                _signing.Release();
            }
        }
        catch (Exception error) when (error is DirectoryUnavailableException or NodeRecordException or OperationCanceledException)
        {
            LogNotWithdrawn(_options.TtlMilliseconds, error.Message);
        }
    }

    private SignedNodeRecord Sign(string? grpc, string? http, bool withdrawn)
    {
        long now = _dependencies.Time.GetUtcNow().ToUnixTimeMilliseconds();
        NodeRecord record = new();
        if (!withdrawn)
            Describe(record);
        record.Version = NodeRecordBounds.Version;
        record.NodeId = _dependencies.Identity.NodeId;
        record.Sequence = _lastSequence = Math.Max(_lastSequence + 1, (ulong)Math.Max(now, 1));
        record.IssuedUnixMs = now;
        record.TtlMs = (uint)_options.TtlMilliseconds;
        record.Network = _options.Network;
        record.Region = _options.Region;
        record.Endpoints.Clear();
        if (grpc is not null)
            record.Endpoints.Add(grpc);
        record.HttpEndpoint = http ?? "";
        record.LinkPort = withdrawn ? 0 : (uint)_dependencies.Endpoints.LinkPort;
        record.Withdrawn = withdrawn;
        record.Software = s_software;
        record.ProtocolVersions.Clear();
        record.ProtocolVersions.Add(ProtocolVersions.Spoken);
        record.MemoryBytes = Environment.WorkingSet;
        record.StartedUnixMs = StartedUnixMs;
        return SignedNodeRecord.Sign(record, _dependencies.Identity, _dependencies.Time);
    }

    [LoggerMessage(LogLevel.Information, "Announced in network {Network}.")]
    private partial void LogAnnounced(string network);

    [LoggerMessage(LogLevel.Warning, "Not announced; trying again until it works. {Reason}")]
    private partial void LogNotAnnounced(string reason);

    [LoggerMessage(LogLevel.Information, "Withdrawn.")]
    private partial void LogWithdrawn();

    [LoggerMessage(LogLevel.Warning, "Not withdrawn: the others see this node for up to {TtlMilliseconds} ms more. {Reason}")]
    private partial void LogNotWithdrawn(int ttlMilliseconds, string reason);
}
