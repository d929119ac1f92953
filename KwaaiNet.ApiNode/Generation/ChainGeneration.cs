using System.Runtime.CompilerServices;
using KwaaiNet.ApiNode.Configuration;
using KwaaiNet.ApiNode.Failures;
using KwaaiNet.ApiNode.Planning;
using KwaaiNet.ApiNode.Prefixes;
using KwaaiNet.ApiNode.Telemetry;
using KwaaiNet.ApiNode.Waiting;

namespace KwaaiNet.ApiNode.Generation;

/// <summary>Generates one answer's tokens, on one chain as long as it lives and on another when it fails.</summary>
/// <remarks>
/// What is known of an answer is its tokens. A chain that is lost takes only KV with it: the next one is given all tokens so far as
/// its prompt and goes on behind them, and since draws depend on seed and position alone, the answer is the one it would have been.
/// This replays every stage; replaying only the lost one belongs into <see cref="StartAsync"/>. Shards that are only full have failed nobody:
/// the request, begun or not, stands in line until room becomes free.
/// </remarks>
internal sealed partial class ChainGeneration : IDisposable
{
    /// <summary>
    /// Tokens that an answer is expected to have, as far as it may: what a chain must have free beside the prompt. Shards let in by the same
    /// figure and give room as it is filled, so a longer answer takes nothing from anybody before it is longer. Asking for all it may have
    /// would let ten requests without a limit hold everything and use none of it.
    /// </summary>
    private const int ExpectedNewTokens = 128;

    // What a shard says is not believed beyond this.
    private static readonly TimeSpan s_longestRetry = TimeSpan.FromHours(1);

    private readonly GenerationRequest _request;
    private readonly ChainServices _services;
    private readonly ApiOptions _options;
    private readonly ILogger _logger;
    private readonly List<int> _tokens;
    private readonly GenerationPhases _phases = new();
    private readonly PromptPages _pages;
    private readonly long _ticket;
    private readonly DateTimeOffset _requested;
    private readonly KeyValuePair<string, object?> _modelTag;
    private AvoidedNodes _avoid = AvoidedNodes.None;
    private AvoidedNodes _full = AvoidedNodes.None;
    private ShardFailureException? _lastFailure;
    private string? _told;
    private TimeSpan? _shardsRetry;
    private ChainSession? _session;
    private RoomPlace? _place;
    private long _joined;
    private long _routing;
    private long _lastToken;
    private long _firstToken;
    private bool _hasDrawn;
    private int _attempts;
    private bool _disposed;

    /// <summary>Prepares; nothing is sent before <see cref="NextAsync"/>.</summary>
    public ChainGeneration(GenerationRequest request, ChainServices services, ILogger logger)
    {
        _request = request;
        _services = services;
        _options = services.Options;
        _logger = logger;
        _tokens = [.. request.Prompt];
        _pages = services.NewPages(request.Model, request.CacheScope);
        _ticket = services.Line.Ticket();
        _requested = services.Time.GetUtcNow();
        MaxNewTokens = request.MaxNewTokens;
        _modelTag = new KeyValuePair<string, object?>(ApiTelemetry.Tags.Model, request.Model.Id);
        _lastToken = services.Time.GetTimestamp();
    }

    /// <summary>Tokens this answer may have. Less than asked for only when the request named no limit and no chain could ever hold so many.</summary>
    public int MaxNewTokens { get; private set; }

    /// <summary>Tokens generated so far.</summary>
    public int Generated => _tokens.Count - _request.Prompt.Length;

    /// <summary>Tokens of the prompt that were not computed: the chain which began to answer held them already.</summary>
    public int CachedTokens { get; private set; }

    /// <summary>The next token. The first call finds and opens a chain.</summary>
    /// <exception cref="ChainUnavailableException">There is no chain; nothing has been generated.</exception>
    /// <exception cref="ChainLostException">The chain failed and none could take over.</exception>
    /// <exception cref="OperationCanceledException">The request was cancelled.</exception>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    public async ValueTask<SampledToken> NextAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            // Tokens that have arrived already are not given to somebody who no longer wants them.
            cancellationToken.ThrowIfCancellationRequested();
            _session ??= await StartAsync(cancellationToken).ConfigureAwait(false);
            try
            {
                SampledToken token = await _session.NextAsync().ConfigureAwait(false);
                Count(token, _session);
                return token;
            }
            catch (ShardFailureException failure)
            {
                // A chain that stood is not one that could not be opened, however long its prompt took: the time to find another starts now.
                _routing = _services.Time.GetTimestamp();
                Abandon(failure, _session.Chain);
            }
        }
    }

    /// <summary>Closes the session on every shard at once; what they hold of it may be found again.</summary>
    public void Dispose()
    {
        if (_disposed)
        {
            return;
        }

        _disposed = true;
        if (_session is { } session && Generated > 0)
        {
            _pages.Extend(_tokens);
            session.Name(_pages.Hashes);
            _pages.OnComputed(session.Chain.Hops);
            _phases.Current?.SetTag(ApiTelemetry.Tags.CompletionTokens, Generated);
        }

        Close();
        Leave(isServed: false);
        _phases.End(null);
        if (Generated > 1)
        {
            double seconds = _services.Time.GetElapsedTime(_firstToken, _lastToken).TotalSeconds;
            if (seconds > 0)
            {
                _services.Telemetry.TokensPerSecond.Record((Generated - 1) / seconds, _modelTag);
            }
        }
    }

    private async Task<ChainSession> StartAsync(CancellationToken cancellationToken)
    {
        _routing = _services.Time.GetTimestamp();
        _pages.Extend(_tokens);
        _hasDrawn = false;
        while (true)
        {
            if (_place is null && _services.Line.IsBehind(_request.Model.Id, _request.MinimumTier, _ticket))
            {
                Join(freed: null);
            }

            if (_place is not null)
            {
                await WaitForRoomAsync(cancellationToken).ConfigureAwait(false);
            }

            await BeginPrefillAsync(cancellationToken).ConfigureAwait(false);
            long freed = _services.Line.Freed;
            if (await TryOpenAsync(cancellationToken).ConfigureAwait(false) is { } session)
            {
                Leave(isServed: true);
                return session;
            }

            _pages.Dispose();
            _phases.End(nameof(NoChainReason.KvExhausted));
            if (_place is null)
            {
                Join(freed);
            }
        }
    }

    // Null: every chain is full.
    private async Task<ChainSession?> TryOpenAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            cancellationToken.ThrowIfCancellationRequested();
            _phases.Start(ApiTelemetry.Spans.Route);
            if (Plan() is not { } chain)
            {
                return null;
            }

            _phases.Current?.SetTag(ApiTelemetry.Tags.Hops, chain.Hops.Length).SetTag(ApiTelemetry.Tags.Chain, chain.ToString());
            SessionSettings settings = Settings();
            _services.Sessions.Begin(chain);
            try
            {
                ChainSession session =
                    await ChainSession.OpenAsync(settings, chain, _services.Links, _services.Time, cancellationToken).ConfigureAwait(false);
                LogOpened(session.Id, _request.Model.Id, session.CachedPositions, chain);
                _pages.OnOpened(chain.Hops, session.CachedPositions);
                _phases.Start(ApiTelemetry.Spans.Prefill);
                _phases.Current?.SetTag(ApiTelemetry.Tags.Session, session.Id).SetTag(ApiTelemetry.Tags.PromptTokens, _tokens.Count)
                    .SetTag(ApiTelemetry.Tags.CachedTokens, session.CachedPositions);
                session.SendPrompt();
                return session;
            }
            catch (ShardFailureException failure)
            {
                _services.Sessions.Cancel(chain);
                Abandon(failure, chain);
            }
            catch (OperationCanceledException)
            {
                _services.Sessions.End(chain);
                throw;
            }
        }
    }

    private SessionSettings Settings() =>
        SessionSettings.Of(_request.Model, _services, _tokens, _request.Sampling, MaxNewTokens - Generated) with
        {
            PrefixHashes = _pages.Hashes,
            Generated = Generated,
            Requested = _requested,
            TraceParent = _phases.TraceParent,
        };

    private async Task WaitForRoomAsync(CancellationToken cancellationToken)
    {
        _phases.Start(ApiTelemetry.Spans.Wait);
        // Somebody reads an answer that has begun: it may pause for as long as a chain may.
        TimeSpan limit = TimeSpan.FromSeconds(Generated > 0 ? Math.Max(_options.MaxWaitSeconds, _options.StepTimeoutSeconds) : _options.MaxWaitSeconds);
        try
        {
            await _place!.WaitForTurnAsync(limit - _services.Time.GetElapsedTime(_joined), _services.Time, cancellationToken).ConfigureAwait(false);
        }
        catch (TimeoutException)
        {
            TimeSpan retry = RetryAfter(_services.Line.Count);
            Leave(isServed: false);
            _phases.End(nameof(NoChainReason.KvExhausted));
            throw Generated > 0 ? Lost("no room became free.") : ChainUnavailableException.Full(_request.Model.Id, limit, retry);
        }

        _full = AvoidedNodes.None;
        _shardsRetry = null;
        _routing = _services.Time.GetTimestamp();
    }

    private async Task BeginPrefillAsync(CancellationToken cancellationToken)
    {
        long since = _services.Time.GetTimestamp();
        TimeSpan limit = TimeSpan.FromSeconds(_options.StepTimeoutSeconds);
        // Whoever has stood in line for room does not let others wait for a prompt.
        while (!_pages.TryBegin(out PrefillUnderway? other) && _place is null && limit - _services.Time.GetElapsedTime(since) is { Ticks: > 0 } left)
        {
            _phases.Start(ApiTelemetry.Spans.Wait);
            try
            {
                await other!.Ended.WaitAsync(left, _services.Time, cancellationToken).ConfigureAwait(false);
            }
            catch (TimeoutException)
            {
                // It takes longer than a step may: computing the same beside it is no worse.
            }

            _routing = _services.Time.GetTimestamp();
        }
    }

    // Null: every chain is full.
    private ShardChain? Plan()
    {
        while (true)
        {
            ChainRequest request = Wanted();
            ChainPlan plan = _services.Router.Plan(request);
            if (!plan.Found && plan.NoChain.Reason is NoChainReason.KvExhausted or NoChainReason.SearchGivenUp)
            {
                // What was announced as free is seconds old: the shards themselves say whether they have room.
                plan = _services.Router.Plan(request with { Room = KvRoom.Whole });
            }

            if (plan.Found)
            {
                return plan.Chain;
            }

            NoChain why = plan.NoChain;
            if (why.Reason is NoChainReason.KvTooSmall or NoChainReason.ContextTooShort)
            {
                int most = _services.Router.MostPositions(request);
                int tokens = most - _tokens.Count;
                if (!_request.LimitIsRequested && tokens >= 1 && tokens < MaxNewTokens - Generated)
                {
                    MaxNewTokens = Generated + tokens;
                    continue;
                }

                _phases.End(why.Reason.ToString());
                throw Generated > 0
                    ? Lost("none of the others has room for all of it.")
                    : ContextLengthExceededException.OfNetwork(
                        _request.Model.Id, most, _request.Prompt.Length, _request.LimitIsRequested ? _request.MaxNewTokens : null);
            }

            if (why.Reason == NoChainReason.KvExhausted || (!_full.IsEmpty && why.Reason == NoChainReason.NodesFailed))
            {
                return null;
            }

            _phases.End(why.Reason.ToString());
            throw Generated > 0
                ? Lost("no other holds every block.")
                : ChainUnavailableException.From(_request.Model.Id, _request.MinimumTier, why, _services.Nodes.Trouble, _told);
        }
    }

    private ChainRequest Wanted() => new()
    {
        Model = _request.Model,
        // The last token drawn is never run, so its position is spare; shards count it, and nobody relies on it.
        Positions = _tokens.Count + (MaxNewTokens - Generated),
        ExpectedPositions = _tokens.Count + Math.Min(MaxNewTokens - Generated, ExpectedNewTokens),
        PromptTokens = _tokens.Count,
        Held = _pages.Held,
        MinimumTier = _request.MinimumTier,
        Avoid = _avoid.With(_full),
        LastShardVersion = SamplingMessages.VersionOf(_request.Sampling),
    };

    private ChainLostException Lost(string why) => new($"The chain was lost after {Generated} tokens and {why} {_told}", _lastFailure);

    private void Join(long? freed)
    {
        _joined = _services.Time.GetTimestamp();
        _place = _services.Line.Join(_request.Model.Id, _request.MinimumTier, _ticket, freed, isBegun: Generated > 0);
        if (_place is null)
        {
            throw Generated > 0 ? Lost("no other has room.")
                : _options.MaxWaitSeconds == 0 ? ChainUnavailableException.Full(_request.Model.Id, TimeSpan.Zero, RetryAfter(1))
                : ChainUnavailableException.TooMany(_request.Model.Id, _services.Line.Count, RetryAfter(_services.Line.Count + 1));
        }
    }

    // What this node's line shows, or the shards': they also see the sessions of other API nodes. One chain is enough, so the soonest of them.
    private TimeSpan RetryAfter(int requests)
    {
        TimeSpan line = _services.Line.Estimate(requests);
        return _shardsRetry > line ? (_shardsRetry < s_longestRetry ? _shardsRetry.Value : s_longestRetry) : line;
    }

    private void Leave(bool isServed)
    {
        _place?.Leave(isServed);
        _place = null;
    }

    private void Close()
    {
        _pages.Dispose();
        if (_session is { } session)
        {
            _session = null;
            session.Dispose();
            // After the shards have been told: who waits for room may find it.
            _services.Sessions.End(session.Chain);
        }
    }

    private void Abandon(ShardFailureException failure, ShardChain chain)
    {
        bool wasOpen = _session is not null;
        Close();
        _phases.End(failure.Kind.ToString());
        ChainHop[] hops = [.. chain.Hops.Where(hop => failure.Nodes.Contains(hop.NodeId))];
        _lastFailure = failure;
        _told = $"The shard {(hops.Length > 1 ? "nodes" : "node")} of blocks {string.Join(", ", hops.Select(hop => hop.Blocks))} {failure.What}.";
        if (failure.Kind == ShardFailureKind.Preempted || (failure.Kind == ShardFailureKind.KvExhausted && !wasOpen))
        {
            // The nodes are well, only full: others may still use them, and this request when somebody has left.
            LogFull(_request.Model.Id, Generated, failure.Message);
            if (failure.RetryAfter is { } soon && !(_shardsRetry < soon)) _shardsRetry = soon;
            _full = hops.Aggregate(_full, (full, hop) => full.With(hop.NodeId, hop.StartedUnixMs));
            return;
        }

        _attempts++;
        _services.Telemetry.ChainsLost.Add(1, _modelTag, new(ApiTelemetry.Tags.Error, failure.Kind.ToString()));
        LogAbandoned(_request.Model.Id, failure.Kind, Generated, failure.Message);
        // A node that was not reached may be by another of its endpoints.
        bool whole = failure.Kind != ShardFailureKind.Lost;
        foreach (ChainHop hop in hops)
        {
            _avoid = whole ? _avoid.With(hop.NodeId, hop.StartedUnixMs) : _avoid.With(hop.NodeId, hop.Endpoint, hop.StartedUnixMs);
            if (failure.Kind is not (ShardFailureKind.Stalled or ShardFailureKind.KvExhausted))
            {
                _services.Router.Quarantine(hop, whole);
            }
        }

        bool late = _services.Time.GetElapsedTime(_routing).TotalSeconds > _options.RouteTimeoutSeconds && Generated == 0
            && failure.Kind != ShardFailureKind.Stalled;
        if (_attempts >= _options.MaxChainAttempts || late)
        {
            throw new ChainLostException($"The answer failed after {_attempts} chains. {_told}", failure);
        }
    }

    private void Count(SampledToken token, ChainSession session)
    {
        long now = _services.Time.GetTimestamp();
        double seconds = _services.Time.GetElapsedTime(_lastToken, now).TotalSeconds;
        if (Generated == 0)
        {
            _firstToken = now;
            CachedTokens = session.CachedPositions;
            _services.Telemetry.TimeToFirstToken.Record(seconds, _modelTag);
            _services.Telemetry.CachedTokens.Add(CachedTokens, _modelTag);
        }
        else
        {
            _services.Telemetry.TimeBetweenTokens.Record(seconds, _modelTag);
        }

        if (!_hasDrawn)
        {
            _hasDrawn = true;
            _pages.OnComputed(session.Chain.Hops);
            _phases.Start(ApiTelemetry.Spans.Decode);
        }

        _lastToken = now;
        _tokens.Add(token.Id);
    }

    [LoggerMessage(LogLevel.Debug, "Session {Session} of {Model} opened with {Cached} positions cached on {Chain}.")]
    private partial void LogOpened(string session, string model, int cached, ShardChain chain);

    [LoggerMessage(LogLevel.Debug, "A chain of {Model} has no room after {Generated} tokens: {Reason}")]
    private partial void LogFull(string model, int generated, string reason);

    [LoggerMessage(LogLevel.Warning, "A chain of {Model} was abandoned ({Kind}) after {Generated} tokens: {Reason}")]
    private partial void LogAbandoned(string model, ShardFailureKind kind, int generated, string reason);
}
