using Google.Protobuf;
using KwaaiNet.Protocol.Wire;
using KwaaiNet.ShardNode.Frames;
using KwaaiNet.ShardNode.Loading;
using KwaaiNet.ShardNode.Scheduling;
using KwaaiNet.ShardNode.Sessions;

namespace KwaaiNet.ShardNode.Serving;

/// <summary>What this node serves right now, for everything that is not the loop itself. Safe for concurrent use.</summary>
internal sealed class ShardServing : IDisposable
{
    private readonly CancellationTokenSource _streamsEnd = new();
    private HeldBlocks _held = HeldBlocks.Nothing;
    private OpenedModel? _model;
    private string? _deviceFailure;
    private volatile bool _announcedReady;

    /// <summary>Blocks, state and loop.</summary>
    public HeldBlocks Held => Volatile.Read(ref _held);

    /// <summary>The model; null until its file is open.</summary>
    public OpenedModel? Model { get => Volatile.Read(ref _model); set => Volatile.Write(ref _model, value); }

    /// <summary>Whether the loop hangs in its device: it takes nothing in, and nobody should be sent here.</summary>
    public bool IsStuck => Held.Loop is { IsStuck: true };

    /// <summary>Whether the network was told that the blocks are ready (or there is no network to tell).</summary>
    public bool IsAnnouncedReady { get => _announcedReady; set => _announcedReady = value; }

    /// <summary>What the device said when it failed; null as long as it has not. A node with a failed device ends.</summary>
    public string? DeviceFailure { get => Volatile.Read(ref _deviceFailure); set => Volatile.Write(ref _deviceFailure, value); }

    /// <summary>Cancelled when open streams must end, because the node stops.</summary>
    public CancellationToken StreamsEnd => _streamsEnd.Token;

    /// <summary>Changes what is served; takes effect for the next request.</summary>
    public void Set(HeldBlocks held)
    {
        if (held.State != ServingState.Ready) _announcedReady = false;
        Volatile.Write(ref _held, held);
    }

    /// <summary>Ends all streams.</summary>
    public void EndStreams() => _streamsEnd.Cancel();

    /// <summary>Opens a session; the answer goes to <paramref name="owner"/>.</summary>
    public void Open(OpenSession open, SessionOwner owner)
    {
        StepLoop? loop = Held.Loop;
        if (loop is not null && !loop.Ended.IsCompleted)
        {
            loop.Open(open, owner);
            return;
        }

        owner.FreeCommand(open.CalculateSize());
        owner.Post(new ControlEvent
        {
            Failed = new SessionFailed
            {
                SessionId = open.SessionId.Length <= SessionId.Length ? open.SessionId : ByteString.Empty,
                Code = FailureCode.RangeNotHeld,
                Message = "No blocks are loaded here yet.",
            },
        });
    }

    /// <summary>Closes a session; the answer goes to <paramref name="owner"/>.</summary>
    public void Close(CloseSession close, SessionOwner owner)
    {
        StepLoop? loop = Held.Loop;
        if (loop is not null && !loop.Ended.IsCompleted)
        {
            loop.Close(close, owner);
            return;
        }

        owner.FreeCommand(close.CalculateSize());
        owner.Post(new ControlEvent { Closed = new SessionClosed { SessionId = close.SessionId.Length <= SessionId.Length ? close.SessionId : ByteString.Empty } });
    }

    /// <summary>Closes all sessions of a stream that has ended.</summary>
    public void CloseAllOf(SessionOwner owner) => Held.Loop?.CloseAllOf(owner);

    /// <summary>Hands a step in.</summary>
    public void Arrive(IncomingStep step)
    {
        if (Held.Loop is { } loop)
        {
            loop.Arrive(step);
            return;
        }

        step.Stream!.Refuse(step.Frame, new Refusal(FailureCode.UnknownSession, "No blocks are loaded here yet."));
        step.Stream.FreeSlots(step.Frame);
    }

    public void Dispose() => _streamsEnd.Dispose();
}
