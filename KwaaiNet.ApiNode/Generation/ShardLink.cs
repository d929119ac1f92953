using System.Collections.Concurrent;
using System.Threading.Channels;
using Google.Protobuf;
using Grpc.Core;
using KwaaiNet.Protocol.Links;
using KwaaiNet.Protocol.Wire;

namespace KwaaiNet.ApiNode.Generation;

/// <summary>The two long-lived streams to one shard, carrying all sessions: Control, and Steps once a prompt is sent.</summary>
/// <remarks>
/// Writers put messages into queues and never wait for the network; one loop a direction moves them. When either stream ends, the
/// link is broken for good and every session on it is told; the next session gets a new link.
/// </remarks>
internal sealed partial class ShardLink : IAsyncDisposable
{
    /// <summary>Time between two looks at a link that carries sessions.</summary>
    public static readonly TimeSpan PingPeriod = TimeSpan.FromMilliseconds(500);

    /// <summary>
    /// Silent looks in a row after which a shard counts as frozen: 3.5 s. HTTP/2 keep-alive finds a dead connection; this finds a process
    /// that no longer runs. Looks are counted, not seconds, so that a pause of our own process is not taken for theirs.
    /// </summary>
    public const int SilentLooks = 7;

    private readonly Channel<ControlRequest> _control = Channel.CreateUnbounded<ControlRequest>(new() { SingleReader = true });
    private readonly Channel<StepFrame> _steps = Channel.CreateUnbounded<StepFrame>(new() { SingleReader = true });
    private readonly ConcurrentDictionary<ByteString, ILinkSession> _sessions = new();
    private readonly CancellationTokenSource _stop = new();
    private readonly ILogger _logger;
    private readonly ITimer _pings;
    private readonly Task _run;
    private string? _broken;
    private volatile bool _acknowledges;
    private long _heard;
    private long _heardBefore;
    private int _silent;
    private ulong _nonce;

    /// <summary>Starts connecting.</summary>
    public ShardLink(string nodeId, string endpoint, IShardDialer dialer, TimeProvider time, ILogger logger)
    {
        NodeId = nodeId;
        Endpoint = endpoint;
        _logger = logger;
        // The link outlives the request that asked for it: its streams must not become part of that request's trace.
        using (ExecutionContext.SuppressFlow())
        {
            _pings = time.CreateTimer(_ => Look(), null, PingPeriod, PingPeriod);
            _run = Task.Run(() => RunAsync(dialer));
        }
    }

    /// <summary>The shard's did:key.</summary>
    public string NodeId { get; }

    /// <summary>Where it answers.</summary>
    public string Endpoint { get; }

    /// <summary>Whether the link has ended.</summary>
    public bool IsBroken => Volatile.Read(ref _broken) is not null;

    /// <summary>Grows with everything the shard says, pongs included: it lives as long as this grows.</summary>
    public long Heard => Interlocked.Read(ref _heard);

    /// <summary>Whether the shard says when a step has left its line.</summary>
    public bool Acknowledges => _acknowledges;

    /// <summary>Asks the shard to open its part of a session; the answer comes to <paramref name="session"/>.</summary>
    public void Open(OpenSession open, ILinkSession session)
    {
        _sessions[open.SessionId] = session;
        // The link may have ended before the session was in the table; then nobody has told it.
        if (!_control.Writer.TryWrite(new ControlRequest { Open = open }) || IsBroken)
        {
            Tell(open.SessionId, _broken ?? "the link ended");
        }
    }

    /// <summary>Releases the session at once. What still arrives for it is dropped.</summary>
    /// <param name="sessionId">The session.</param>
    /// <param name="pageHashes">Under which names its pages may be found again; empty: those it was opened with.</param>
    public void Close(ByteString sessionId, ByteString pageHashes)
    {
        if (_sessions.TryRemove(sessionId, out _))
        {
            _control.Writer.TryWrite(new ControlRequest { Close = new CloseSession { SessionId = sessionId, PageHashes = pageHashes } });
        }
    }

    /// <summary>Sends a step. A link that breaks tells the session.</summary>
    public void Send(StepFrame frame) => _steps.Writer.TryWrite(frame);

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        Break("the API node stops");
        await _run.ConfigureAwait(false);
    }

    private async Task RunAsync(IShardDialer dialer)
    {
        string reason = "the shard ended the stream";
        try
        {
            Shard.ShardClient client = dialer.Dial(NodeId, Endpoint);
            using AsyncDuplexStreamingCall<ControlRequest, ControlEvent> control = client.Control(cancellationToken: _stop.Token);
            Task[] loops =
            [
                WriteAsync(_control.Reader, control.RequestStream),
                ReadControlAsync(control.ResponseStream),
                RunStepsAsync(client),
            ];
            Task ended = await Task.WhenAny(loops).ConfigureAwait(false);
            if (ended.Exception?.InnerException is { } exception)
            {
                reason = Describe(exception);
            }

            Break(reason);
            await Task.WhenAll(loops).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
        catch (Exception exception) when (exception is RpcException or ArgumentException or InvalidOperationException)
        {
            reason = Describe(exception);
        }
        finally
        {
            Break(reason);
        }
    }

    private async Task RunStepsAsync(Shard.ShardClient client)
    {
        // Only the first shard of a chain is sent steps from here; the others need no second stream.
        await _steps.Reader.WaitToReadAsync(_stop.Token).ConfigureAwait(false);
        using AsyncDuplexStreamingCall<StepFrame, StepRefused> steps = client.Steps(cancellationToken: _stop.Token);
        Task write = WriteAsync(_steps.Reader, steps.RequestStream);
        Task read = ReadRefusalsAsync(steps.ResponseStream);
        Task ended = await Task.WhenAny(write, read).ConfigureAwait(false);
        Break(ended.Exception?.InnerException is { } exception ? Describe(exception) : "the shard ended the stream of steps");
        await Task.WhenAll(write, read).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    private async Task WriteAsync<T>(ChannelReader<T> queue, IClientStreamWriter<T> stream)
    {
        await foreach (T message in queue.ReadAllAsync(_stop.Token).ConfigureAwait(false))
        {
            await stream.WriteAsync(message, _stop.Token).ConfigureAwait(false);
        }
    }

    private Task ReadControlAsync(IAsyncStreamReader<ControlEvent> events) => events.ForEachAsync(
        received =>
        {
            Interlocked.Increment(ref _heard);
            switch (received.EventCase)
            {
                case ControlEvent.EventOneofCase.Opened when _sessions.TryGetValue(received.Opened.SessionId, out ILinkSession? session):
                    session.OnOpened(received.Opened.CachedPositions);
                    break;
                case ControlEvent.EventOneofCase.Token when _sessions.TryGetValue(received.Token.SessionId, out ILinkSession? session):
                    session.OnToken(received.Token);
                    break;
                case ControlEvent.EventOneofCase.Failed when _sessions.TryRemove(received.Failed.SessionId, out ILinkSession? session):
                    session.OnFailed(ShardFailures.From(received.Failed, NodeId));
                    break;
                default:
                    // Pongs count by having been heard; the rest belongs to sessions that are closed here already.
                    break;
            }

            return default;
        },
        _stop.Token);

    private Task ReadRefusalsAsync(IAsyncStreamReader<StepRefused> answers) => answers.ForEachAsync(
        answer =>
        {
            bool isRefused = answer.Code != FailureCode.Unspecified;
            _acknowledges |= !isRefused;
            if (_sessions.TryGetValue(answer.SessionId, out ILinkSession? session))
            {
                if (isRefused)
                {
                    session.OnFailed(ShardFailures.From(answer, NodeId));
                }
                else
                {
                    session.OnStepLeft();
                }
            }

            return default;
        },
        _stop.Token);

    private void Look()
    {
        if (IsBroken)
        {
            return;
        }

        long heard = Interlocked.Read(ref _heard);
        if (_sessions.IsEmpty || heard != _heardBefore)
        {
            _heardBefore = heard;
            _silent = 0;
        }
        else if (++_silent >= SilentLooks)
        {
            Break($"the shard has not answered for {(SilentLooks * PingPeriod).TotalSeconds:0.#} s");
        }

        if (!_sessions.IsEmpty)
        {
            _control.Writer.TryWrite(new ControlRequest { Ping = new Ping { Nonce = ++_nonce } });
        }
    }

    private void Break(string reason)
    {
        if (Interlocked.CompareExchange(ref _broken, reason, null) is not null)
        {
            return;
        }

        _pings.Dispose();
        _control.Writer.TryComplete();
        _steps.Writer.TryComplete();
        if (!_sessions.IsEmpty)
        {
            LogBroken(NodeId, Endpoint, reason, _sessions.Count);
        }

        foreach (ByteString session in _sessions.Keys)
        {
            Tell(session, reason);
        }

        // Cancelled last and not disposed: loops may still be looking at the token.
        _stop.Cancel();
    }

    private void Tell(ByteString sessionId, string reason)
    {
        if (_sessions.TryRemove(sessionId, out ILinkSession? session))
        {
            session.OnFailed(new ShardFailureException(ShardFailureKind.Lost, [NodeId], $"Shard {NodeId} at {Endpoint} was lost: {reason}.", "was lost"));
        }
    }

    // gRPC's detail is the fullest when it is there; a connection that is refused has its reason in the exception below.
    private static string Describe(Exception exception)
    {
        string words = exception is RpcException rpc
            ? $"{rpc.StatusCode} {(rpc.Status.Detail.Length > 0 ? rpc.Status.Detail : rpc.Status.DebugException?.Message)}"
            : exception.Message;
        return words.Trim().TrimEnd('.');
    }

    [LoggerMessage(LogLevel.Warning, "Link to shard {NodeId} at {Endpoint} broke under {Sessions} sessions: {Reason}.")]
    private partial void LogBroken(string nodeId, string endpoint, string reason, int sessions);
}
