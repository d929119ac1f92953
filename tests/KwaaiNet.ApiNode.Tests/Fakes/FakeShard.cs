using System.Collections.Concurrent;
using System.Threading.Channels;
using Google.Protobuf;
using Grpc.Core;
using KwaaiNet.Protocol.Blocks;
using KwaaiNet.Protocol.Sessions;
using KwaaiNet.Protocol.Wire;

namespace KwaaiNet.ApiNode.Tests.Fakes;

/// <summary>A shard node behind the wire's contract: opens and closes sessions, answers pings, and fails in the ways shards fail.</summary>
internal sealed class FakeShard(FakeNetwork network, string nodeId, BlockRange range) : Shard.ShardClient
{
    private readonly ConcurrentBag<FakeDuplex<ControlRequest, ControlEvent>> _controls = [];
    private readonly ConcurrentBag<FakeDuplex<StepFrame, StepRefused>> _steps = [];
    private readonly Channel<string> _happenings = Channel.CreateUnbounded<string>();

    public string NodeId => nodeId;

    public BlockRange Range => range;

    public ConcurrentDictionary<ByteString, OpenSession> Sessions { get; } = new();

    /// <summary>Pages that may be found again, by lineage and hash.</summary>
    public ConcurrentDictionary<(ByteString Lineage, PageHash Page), bool> Held { get; } = new();

    /// <summary>Changes what the shard says that it holds.</summary>
    public Func<uint, uint> Claims { get; set; } = cached => cached;

    /// <summary>Every closing this shard was told of.</summary>
    public ConcurrentQueue<CloseSession> Closings { get; } = new();

    /// <summary>Rows of prompts that came here.</summary>
    public long Rows => Frames.Sum(frame => frame.Rows);

    /// <summary>Every opening this shard was asked for.</summary>
    public ConcurrentQueue<OpenSession> Openings { get; } = new();

    public ConcurrentQueue<StepFrame> Frames { get; } = new();

    /// <summary>Changes what the shard says of itself.</summary>
    public Func<NodeRecord, NodeRecord> Announce { get; set; } = record => record;

    /// <summary>Answers openings with this failure.</summary>
    public FailureCode? RefuseOpen { get; set; }

    /// <summary>Answers some openings with a failure.</summary>
    public Func<OpenSession, FailureCode?> Refuses { get; set; } = _ => null;

    /// <summary>When it may be worth asking again, in milliseconds, as a failure says.</summary>
    public uint? RetryAfterMs { get; set; }

    /// <summary>What a failure says in words.</summary>
    public string Words { get; set; } = "no";

    /// <summary>Whose fault <see cref="RefuseOpen"/> is; empty: this node's.</summary>
    public string Blames { get; set; } = "";

    /// <summary>Breaks when asked to open.</summary>
    public bool VanishOnOpen { get; set; }

    /// <summary>Opens nothing before this is done, and answers pings meanwhile: a long turn.</summary>
    public Task Turn { get; set; } = Task.CompletedTask;

    /// <summary>Keeps steps that ask for it waiting, until <see cref="LeaveStep"/>.</summary>
    public bool StepsWait { get; set; }

    /// <summary>Takes everything, says nothing.</summary>
    public bool Frozen { get; set; }

    /// <summary>Cannot be reached any more.</summary>
    public bool Gone { get; private set; }

    /// <summary>Waits until the shard was told or did something: <c>open</c>, <c>close</c>, <c>frame</c>, <c>ping</c>, <c>token</c>, <c>left</c>, and <c>asked</c> to open in the middle of a turn.</summary>
    public async Task WaitForAsync(string happening)
    {
        using CancellationTokenSource limit = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        limit.CancelAfter(TimeSpan.FromSeconds(30));
        while (await _happenings.Reader.ReadAsync(limit.Token) != happening)
        {
        }
    }

    public override AsyncDuplexStreamingCall<ControlRequest, ControlEvent> Control(CallOptions options)
    {
        FakeDuplex<ControlRequest, ControlEvent> call = new(options.CancellationToken);
        // A ping has happened when its answer was heard: a clock that went on before would outrun the answers on a busy machine.
        call.Handled = answer =>
        {
            if (answer.EventCase == ControlEvent.EventOneofCase.Pong) _happenings.Writer.TryWrite("ping");
            if (answer.EventCase == ControlEvent.EventOneofCase.Token) _happenings.Writer.TryWrite("token");
        };
        _controls.Add(call);
        if (Gone)
        {
            call.Break(StatusCode.Unavailable);
        }

        _ = Task.Run(async () =>
        {
            await foreach (ControlRequest request in call.Requests.ReadAllAsync())
            {
                Handle(request, call);
            }
        });
        return call.Call;
    }

    public override AsyncDuplexStreamingCall<StepFrame, StepRefused> Steps(CallOptions options)
    {
        FakeDuplex<StepFrame, StepRefused> call = new(options.CancellationToken);
        call.Handled = _ => _happenings.Writer.TryWrite("left");
        _steps.Add(call);
        _ = Task.Run(async () =>
        {
            await foreach (StepFrame frame in call.Requests.ReadAllAsync())
            {
                Frames.Enqueue(frame);
                _happenings.Writer.TryWrite("frame");
                if (!Frozen)
                {
                    network.OnFrame(frame);
                    if (!StepsWait) call.Send(new StepRefused { SessionId = frame.SessionId, Step = frame.Step });
                }
            }
        });
        return call.Call;
    }

    /// <summary>Says that a step waits no more.</summary>
    public void LeaveStep(StepFrame frame)
    {
        foreach (FakeDuplex<StepFrame, StepRefused> call in _steps) call.Send(new StepRefused { SessionId = frame.SessionId, Step = frame.Step });
    }

    /// <summary>Vanishes once so many of its tokens were read: two streams break, and what is unread on one is lost when the other is missed first.</summary>
    public void VanishBehind(int tokens)
    {
        for (int read = 0; read < tokens; read++) WaitForAsync("token").GetAwaiter().GetResult();
        Vanish();
    }

    public void Vanish()
    {
        Gone = true;
        foreach (FakeDuplex<ControlRequest, ControlEvent> call in _controls)
        {
            call.Break(StatusCode.Unavailable);
        }

        foreach (FakeDuplex<StepFrame, StepRefused> call in _steps)
        {
            call.Break(StatusCode.Unavailable);
        }
    }

    public void Send(ControlEvent controlEvent)
    {
        foreach (FakeDuplex<ControlRequest, ControlEvent> call in _controls)
        {
            if (!Frozen)
            {
                call.Send(controlEvent);
            }
        }
    }

    private void Handle(ControlRequest request, FakeDuplex<ControlRequest, ControlEvent> call)
    {
        switch (request.RequestCase)
        {
            case ControlRequest.RequestOneofCase.Open:
                _ = OpenAfterTurnAsync(request.Open, call);
                break;
            case ControlRequest.RequestOneofCase.Close:
                Closings.Enqueue(request.Close);
                if (Sessions.TryRemove(request.Close.SessionId, out OpenSession? closed))
                {
                    network.Keep(this, closed, request.Close.PageHashes);
                }

                _happenings.Writer.TryWrite("close");
                break;
            case ControlRequest.RequestOneofCase.Ping when !Frozen:
                call.Send(new ControlEvent { Pong = new Pong { Nonce = request.Ping.Nonce } });
                break;
            default:
                break;
        }
    }

    // The whole session is reserved, as real shards do.
    private bool HasRoom(OpenSession open) =>
        Sessions.Values.Append(open).Sum(session => session.MaxPositions * (session.EndBlock - session.FirstBlock) * network.KvBytesPerBlockPosition) <= network.KvTotalBytes;

    private async Task OpenAfterTurnAsync(OpenSession open, FakeDuplex<ControlRequest, ControlEvent> call)
    {
        if (!Turn.IsCompleted) _happenings.Writer.TryWrite("asked");
        await Turn;
        Open(open, call);
        _happenings.Writer.TryWrite("open");
    }

    private void Open(OpenSession open, FakeDuplex<ControlRequest, ControlEvent> call)
    {
        Openings.Enqueue(open);
        if (VanishOnOpen)
        {
            Vanish();
        }
        else if ((RefuseOpen ?? Refuses(open) ?? (HasRoom(open) ? null : FailureCode.KvExhausted)) is { } code)
        {
            SessionFailed failed = new() { SessionId = open.SessionId, Code = code, Message = Words, NodeId = Blames };
            if (RetryAfterMs is { } wait) failed.RetryAfterMs = wait;
            call.Send(new ControlEvent { Failed = failed });
        }
        else if (!Frozen)
        {
            Sessions[open.SessionId] = open;
            uint cached = 0;
            while (cached < open.PrefixHashes.Length / PageHash.Length && Held.ContainsKey((open.PrefixLineage, PageHash.Read(open.PrefixHashes.Span, (int)cached))))
            {
                cached++;
            }

            call.Send(new ControlEvent { Opened = new SessionOpened { SessionId = open.SessionId, CachedPositions = Claims(cached * PageHash.Positions) } });
        }
    }
}
