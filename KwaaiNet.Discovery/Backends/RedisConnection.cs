using System.Diagnostics.CodeAnalysis;
using KwaaiNet.Protocol.Discovery;
using KwaaiNet.ServiceDefaults.Hosting;
using StackExchange.Redis;

namespace KwaaiNet.Discovery.Backends;

/// <summary>One connection to Redis that is made in the background, kept, and made again when it is lost.</summary>
internal sealed partial class RedisConnection : IAsyncDisposable
{
    // Of a machine that is away a network may say nothing for minutes; one that is there and busy answers within this.
    private static readonly TimeSpan s_signInLimit = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan s_settleStep = TimeSpan.FromMilliseconds(20);

    private readonly ConfigurationOptions _options;
    private readonly ILogger _logger;
    private readonly Lazy<Task<ConnectionMultiplexer>> _connecting;
    private int _lossLogged;
    private Exception? _refusal;

    /// <param name="options">Where the server is and how to sign in.</param>
    /// <param name="name">What and where, for people.</param>
    /// <param name="patience">How long a call may take. A server in this very process is never away, only slow, when the whole machine is.</param>
    /// <param name="logger">Told of loss and return, once each.</param>
    public RedisConnection(ConfigurationOptions options, string name, TimeSpan patience, ILogger logger)
    {
        _options = options;
        Patience = patience;
        Name = name;
        _logger = logger;
        // A server that is down now may be up in a minute: keep trying, and fail calls meanwhile instead of queueing them.
        _options.AbortOnConnectFail = false;
        _options.BacklogPolicy = BacklogPolicy.FailFast;
        _options.ConnectTimeout = (int)(patience * 2 / 3).TotalMilliseconds;
        _options.AsyncTimeout = (int)patience.TotalMilliseconds;
        _options.SyncTimeout = (int)patience.TotalMilliseconds;
        _options.KeepAlive = Math.Max(1, (int)(patience * 2 / 3).TotalSeconds);
        _options.ReconnectRetryPolicy = new ExponentialRetry(250, 5_000);
        _options.ClientName = "kwaainet-discovery";
        _options.IncludeDetailInExceptions = false;
        _connecting = new Lazy<Task<ConnectionMultiplexer>>(ConnectAsync);
    }

    /// <summary>What and where, for people; never the password.</summary>
    public string Name { get; }

    /// <summary>How long a call may take.</summary>
    public TimeSpan Patience { get; }

    /// <summary>Raised when a connection breaks: messages may have been missed.</summary>
    public event Action? Lost;

    /// <summary>Runs a call and turns Redis's many exceptions into one.</summary>
    public async Task<T> CallAsync<T>(Func<IDatabase, Task<T>> call, CancellationToken cancellationToken)
    {
        try
        {
            ConnectionMultiplexer redis = await _connecting.Value.WaitAsync(cancellationToken).ConfigureAwait(false);
            return await call(redis.GetDatabase()).WaitAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (Exception error) when (IsRedisFault(error))
        {
            throw Unavailable(error);
        }
    }

    /// <summary>Runs a call that writes, and notes whether the server takes writes.</summary>
    /// <exception cref="DirectoryUnavailableException">The server could not be reached, or refuses to write; the message has its own word.</exception>
    public async Task<T> WriteAsync<T>(Func<IDatabase, Task<T>> call, CancellationToken cancellationToken)
    {
        try
        {
            T result = await CallAsync(call, cancellationToken).ConfigureAwait(false);
            if (Interlocked.Exchange(ref _refusal, null) is not null)
                LogWritesAgain(Name);
            return result;
        }
        catch (DirectoryUnavailableException error) when (error.InnerException is { } said && RedisFault.Of(said) is { Word: not null } fault)
        {
            if (Interlocked.Exchange(ref _refusal, said) is null)
            {
                LogRefuses(Name, fault.Reason, fault.Remedy);
                // From now on nobody can renew a record: that one ends is no news of its node.
                Lost?.Invoke();
            }

            throw;
        }
    }

    /// <summary>Whether the server takes writes: a record that is not renewed then is not to be held against its node.</summary>
    /// <exception cref="DirectoryUnavailableException">It does not; the message has its own word.</exception>
    public Task ProbeAsync(CancellationToken cancellationToken) =>
        WriteAsync(redis => redis.ScriptEvaluateAsync(RedisScripts.Probe, [RedisKeys.Probe]), cancellationToken);

    /// <summary>Fails when the server refused the last write.</summary>
    /// <exception cref="DirectoryUnavailableException">It did; the message has its own word.</exception>
    public void ThrowIfRefused()
    {
        if (Volatile.Read(ref _refusal) is { } refusal)
            throw Unavailable(refusal);
    }

    /// <summary>Asks whether the server lets us in. One that cannot be asked yet is tried in the background, and said to be away.</summary>
    /// <exception cref="NodeFailureException">The server is there and does not let us in.</exception>
    public async Task SignInAsync(CancellationToken cancellationToken)
    {
        string? words = await RedisSignIn.AskAsync(_options, s_signInLimit, cancellationToken).ConfigureAwait(false);
        if (words is not null && RedisFault.OfWords(words) is { IsSignIn: true } fault)
            throw new NodeFailureException(fault.Describe(Name), NodeProgram.BadConfiguration);
    }

    /// <summary>Subscribes to a channel; the queue ends when unsubscribed.</summary>
    public async Task<ChannelMessageQueue> SubscribeAsync(RedisChannel channel, CancellationToken cancellationToken)
    {
        try
        {
            ConnectionMultiplexer redis = await _connecting.Value.WaitAsync(cancellationToken).ConfigureAwait(false);
            return await redis.GetSubscriber().SubscribeAsync(channel).WaitAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (Exception error) when (IsRedisFault(error))
        {
            throw Unavailable(error);
        }
    }

    /// <summary>Waits while the server is there and only the connection for subscriptions is not up yet. True when both are.</summary>
    /// <exception cref="DirectoryUnavailableException">There is no connection to be had.</exception>
    /// <remarks>The client makes its two connections apart from one another, and on a busy machine the second is up a good while later.</remarks>
    public async Task<bool> SettleAsync(CancellationToken cancellationToken)
    {
        try
        {
            ConnectionMultiplexer redis = await _connecting.Value.WaitAsync(cancellationToken).ConfigureAwait(false);
            ISubscriber subscriber = redis.GetSubscriber();
            // The client tells of a connection that comes back, not reliably of one that comes: hence asking.
            using PeriodicTimer timer = new(s_settleStep);
            for (int step = 0; redis.IsConnected && !subscriber.IsConnected() && step * s_settleStep.TotalMilliseconds < _options.ConnectTimeout; step++)
                await timer.WaitForNextTickAsync(cancellationToken).ConfigureAwait(false);
            return redis.IsConnected && subscriber.IsConnected();
        }
        catch (Exception error) when (IsRedisFault(error))
        {
            throw Unavailable(error);
        }
    }

    /// <summary>What callers are told.</summary>
    /// <param name="error">What the client said; null: what the server refused last, if it did.</param>
    public DirectoryUnavailableException Unavailable(Exception? error = null)
    {
        error ??= Volatile.Read(ref _refusal);
        return new DirectoryUnavailableException(RedisFault.Of(error).Describe(Name), error);
    }

    public async ValueTask DisposeAsync()
    {
        if (!_connecting.IsValueCreated)
            return;
        try
        {
            ConnectionMultiplexer redis = await _connecting.Value.ConfigureAwait(false);
            redis.ConnectionFailed -= OnFailed;
            redis.ConnectionRestored -= OnRestored;
            await redis.DisposeAsync().ConfigureAwait(false);
        }
        catch (Exception error) when (IsRedisFault(error))
        {
            // There is nothing left to close.
        }
    }

    [SuppressMessage("Reliability", "CA2000", Justification = "The multiplexer lives as long as this object and is disposed by it.")]
    private async Task<ConnectionMultiplexer> ConnectAsync()
    {
        ConnectionMultiplexer redis = await ConnectionMultiplexer.ConnectAsync(_options).ConfigureAwait(false);
        redis.ConnectionFailed += OnFailed;
        redis.ConnectionRestored += OnRestored;
        if (!redis.IsConnected)
            LogLossOnce("no connection yet");
        return redis;
    }

    private void OnFailed(object? sender, ConnectionFailedEventArgs failure)
    {
        LogLossOnce(failure.Exception is { } error && RedisFault.Of(error) is { Word: not null } fault ? fault.Reason : failure.FailureType.ToString());
        Lost?.Invoke();
    }

    private void OnRestored(object? sender, ConnectionFailedEventArgs failure)
    {
        // A reconnect may have been quick enough for nobody to see the failure; what was published meanwhile is missing all the same.
        Lost?.Invoke();
        if (failure.ConnectionType == ConnectionType.Interactive && Interlocked.Exchange(ref _lossLogged, 0) == 1)
            LogConnected(Name);
    }

    private void LogLossOnce(string reason)
    {
        if (Interlocked.Exchange(ref _lossLogged, 1) == 0)
            LogUnreachable(Name, reason);
    }

    private static bool IsRedisFault(Exception error) =>
        error is RedisException or RedisTimeoutException or RedisCommandException or ObjectDisposedException or System.Net.Sockets.SocketException;

    [LoggerMessage(LogLevel.Error, "{Name} cannot be reached ({Reason}). Trying again until it can; check that it runs and that ConnectionStrings:registry names it.")]
    private partial void LogUnreachable(string name, string reason);

    [LoggerMessage(LogLevel.Error, "{Name} takes no records: {Reason}. Nodes known so far go on being used until it does. {Remedy}")]
    private partial void LogRefuses(string name, string reason, string remedy);

    [LoggerMessage(LogLevel.Information, "{Name} takes records again.")]
    private partial void LogWritesAgain(string name);

    [LoggerMessage(LogLevel.Information, "{Name} can be reached again.")]
    private partial void LogConnected(string name);
}
