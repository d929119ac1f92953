using System.Diagnostics;
using KwaaiNet.ApiNode.Configuration;
using KwaaiNet.ApiNode.Failures;
using KwaaiNet.ApiNode.Planning;
using KwaaiNet.ApiNode.Telemetry;
using KwaaiNet.Protocol.Sessions;

namespace KwaaiNet.ApiNode.Generation;

/// <summary>Generates one answer's tokens, on one chain as long as it lives and on another when it fails.</summary>
/// <remarks>
/// What is known of an answer is its tokens. A chain that is lost takes only KV with it: the next one is given all tokens so far as
/// its prompt and goes on behind them, and since draws depend on seed and position alone, the answer is the one it would have been.
/// This replays every stage; replaying only the lost one belongs into <see cref="StartAsync"/>.
/// </remarks>
internal sealed partial class ChainGeneration : IDisposable
{
    // A request that named no limit is not worth starting with less room than this.
    private const int LeastUnaskedTokens = 64;

    private readonly GenerationRequest _request;
    private readonly ChainServices _services;
    private readonly ApiOptions _options;
    private readonly ILogger _logger;
    private readonly List<int> _tokens;
    private readonly ActivityContext _parent;
    private readonly string _traceParent;
    private readonly KeyValuePair<string, object?> _modelTag;
    private AvoidedNodes _avoid = AvoidedNodes.None;
    private AvoidedNodes _full = AvoidedNodes.None;
    private ShardFailureException? _lastFailure;
    private string? _told;
    private ChainSession? _session;
    private Activity? _phase;
    private long _routing;
    private long _lastToken;
    private long _firstToken;
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
        MaxNewTokens = request.MaxNewTokens;
        _parent = Activity.Current?.Context ?? default;
        _traceParent = Activity.Current is { IdFormat: ActivityIdFormat.W3C, Id: { } id } ? id : "";
        _modelTag = new KeyValuePair<string, object?>(ApiTelemetry.Tags.Model, request.Model.Id);
        _lastToken = services.Time.GetTimestamp();
    }

    /// <summary>Tokens this answer may have. Less than asked for only when the request named no limit and KV is short.</summary>
    public int MaxNewTokens { get; private set; }

    /// <summary>Tokens generated so far.</summary>
    public int Generated => _tokens.Count - _request.Prompt.Length;

    /// <summary>The next token. The first call finds and opens a chain.</summary>
    /// <exception cref="ChainUnavailableException">There is no chain; nothing has been generated.</exception>
    /// <exception cref="ChainLostException">The chain failed and none could take over.</exception>
    /// <exception cref="OperationCanceledException">The request was cancelled.</exception>
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
                Count(token);
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

    /// <summary>Closes the session on every shard at once.</summary>
    public void Dispose()
    {
        if (_disposed)
        {
            return;
        }

        _disposed = true;
        _session?.Dispose();
        _session = null;
        EndPhase(null);
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
        while (true)
        {
            cancellationToken.ThrowIfCancellationRequested();
            StartPhase(ApiTelemetry.Spans.Route);
            ShardChain chain = Plan();
            _phase?.SetTag(ApiTelemetry.Tags.Hops, chain.Hops.Length).SetTag(ApiTelemetry.Tags.Chain, chain.ToString());
            bool wide = _request.Model.HiddenExceedsHalf || _options.HiddenFormat == CandelEngine.Compute.HiddenFormat.F32;
            SessionSettings settings = new()
            {
                Model = _request.Model,
                Owner = _services.NodeId,
                Sampling = _request.Sampling,
                Tokens = _tokens,
                Generated = Generated,
                MaxNewTokens = MaxNewTokens - Generated,
                HiddenFormat = wide ? CandelEngine.Compute.HiddenFormat.F32 : CandelEngine.Compute.HiddenFormat.F16,
                PrefillChunk = Math.Min(_options.PrefillChunk, SessionBounds.RowsPerStep(_request.Model.Width, wide ? sizeof(float) : sizeof(ushort))),
                OpenTimeout = TimeSpan.FromSeconds(_options.OpenTimeoutSeconds),
                StepTimeout = TimeSpan.FromSeconds(_options.StepTimeoutSeconds),
                TraceParent = _traceParent,
            };
            try
            {
                ChainSession session =
                    await ChainSession.OpenAsync(settings, chain, _services.Links, _services.Time, cancellationToken).ConfigureAwait(false);
                LogOpened(session.Id, _request.Model.Id, chain);
                StartPhase(ApiTelemetry.Spans.Prefill);
                _phase?.SetTag(ApiTelemetry.Tags.Session, session.Id).SetTag(ApiTelemetry.Tags.PromptTokens, _tokens.Count);
                session.SendPrompt();
                return session;
            }
            catch (ShardFailureException failure)
            {
                Abandon(failure, chain);
            }
        }
    }

    private ShardChain Plan()
    {
        while (true)
        {
            ChainPlan plan = Plan(KvRoom.Free);
            if (!plan.Found && plan.NoChain.Reason == NoChainReason.KvExhausted)
            {
                // What was announced as free is seconds old: the shards themselves say whether they have room.
                plan = Plan(KvRoom.Whole);
            }

            if (plan.Found)
            {
                return plan.Chain;
            }

            NoChain why = plan.NoChain;
            if (why.Reason is NoChainReason.KvTooSmall or NoChainReason.ContextTooShort)
            {
                int most = _services.Router.MostPositions(_request.Model, Positions, _request.MinimumTier, Version);
                if (AskFor(most - _tokens.Count))
                {
                    continue;
                }

                EndPhase(why.Reason.ToString());
                throw Generated > 0
                    ? Lost("none of the others has room for all of it.")
                    : ContextLengthExceededException.OfNetwork(
                        _request.Model.Id, most, _request.Prompt.Length, _request.LimitIsRequested ? _request.MaxNewTokens : null);
            }

            if (!_full.IsEmpty && why.Reason == NoChainReason.NodesFailed)
            {
                if (AskForLess())
                {
                    _full = AvoidedNodes.None;
                    continue;
                }

                why = why with { Reason = NoChainReason.KvExhausted };
            }

            EndPhase(why.Reason.ToString());
            throw Generated > 0
                ? Lost("no other holds every block.")
                : ChainUnavailableException.From(_request.Model.Id, _request.MinimumTier, why, _services.Nodes.Trouble, _told);
        }
    }

    private ChainPlan Plan(KvRoom room) =>
        _services.Router.Plan(_request.Model, Positions, _request.MinimumTier, _avoid.With(_full), Version, room);

    // The last token drawn is never run, so its position is spare; shards reserve whole requests and nobody counts on it.
    private int Positions => _tokens.Count + (MaxNewTokens - Generated);

    private uint Version => SamplingMessages.VersionOf(_request.Sampling);

    private ChainLostException Lost(string why) => new($"The chain was lost after {Generated} tokens and {why} {_told}", _lastFailure);

    private bool AskForLess()
    {
        int remaining = MaxNewTokens - Generated;
        return remaining > LeastUnaskedTokens && AskFor(Math.Max(LeastUnaskedTokens, remaining / 2));
    }

    // Fewer tokens, when the request did not say how many.
    private bool AskFor(int tokens)
    {
        if (_request.LimitIsRequested || tokens < 1 || tokens >= MaxNewTokens - Generated)
        {
            return false;
        }

        MaxNewTokens = Generated + tokens;
        return true;
    }

    private void Abandon(ShardFailureException failure, ShardChain chain)
    {
        _session?.Dispose();
        _session = null;
        EndPhase(failure.Kind.ToString());
        ChainHop[] hops = [.. chain.Hops.Where(hop => failure.Nodes.Contains(hop.NodeId))];
        _lastFailure = failure;
        _told = $"The shard {(hops.Length > 1 ? "nodes" : "node")} of blocks {string.Join(", ", hops.Select(hop => hop.Blocks))} {failure.What}.";
        if (failure.Kind == ShardFailureKind.KvExhausted)
        {
            // The nodes are well, only full: others may still use them, and this request may with less.
            LogFull(_request.Model.Id, Positions, failure.Message);
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
            if (failure.Kind != ShardFailureKind.Stalled)
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

    private void Count(SampledToken token)
    {
        long now = _services.Time.GetTimestamp();
        double seconds = _services.Time.GetElapsedTime(_lastToken, now).TotalSeconds;
        if (Generated == 0)
        {
            _firstToken = now;
            _services.Telemetry.TimeToFirstToken.Record(seconds, _modelTag);
        }
        else
        {
            _services.Telemetry.TimeBetweenTokens.Record(seconds, _modelTag);
        }

        if (_phase is null || _phase.OperationName == ApiTelemetry.Spans.Prefill)
        {
            StartPhase(ApiTelemetry.Spans.Decode);
        }

        _lastToken = now;
        _tokens.Add(token.Id);
    }

    private void StartPhase(string name)
    {
        EndPhase(null);
        _phase = ApiTelemetry.Source.StartActivity(name, ActivityKind.Internal, _parent);
    }

    private void EndPhase(string? error)
    {
        if (_phase is null)
        {
            return;
        }

        if (error is not null)
        {
            _phase.SetTag(ApiTelemetry.Tags.Error, error).SetStatus(ActivityStatusCode.Error);
        }
        else if (_phase.OperationName == ApiTelemetry.Spans.Decode)
        {
            _phase.SetTag(ApiTelemetry.Tags.CompletionTokens, Generated);
        }

        _phase.Dispose();
        _phase = null;
    }

    [LoggerMessage(LogLevel.Debug, "Session {Session} of {Model} opened on {Chain}.")]
    private partial void LogOpened(string session, string model, ShardChain chain);

    [LoggerMessage(LogLevel.Debug, "A chain of {Model} has no room for {Positions} positions: {Reason}")]
    private partial void LogFull(string model, int positions, string reason);

    [LoggerMessage(LogLevel.Warning, "A chain of {Model} was abandoned ({Kind}) after {Generated} tokens: {Reason}")]
    private partial void LogAbandoned(string model, ShardFailureKind kind, int generated, string reason);
}
