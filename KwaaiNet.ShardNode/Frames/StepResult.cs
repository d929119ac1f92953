using KwaaiNet.Protocol.Wire;

namespace KwaaiNet.ShardNode.Frames;

/// <summary>What came out of one step: kept until the session's next step replaces it, so that a repeated step is answered without running again.</summary>
/// <remarks>
/// Its messages and the payload's buffer are used again by later steps; the session (the kept result) and streams still writing it hold it
/// together, and the last to <see cref="Release"/> gives it back. Acquire and release are safe from any thread.
/// </remarks>
internal sealed class StepResult
{
    private readonly StepResultPool _pool;
    private readonly ReusableBytes _payload = new();
    private readonly StepFrame _frame = new();
    private ControlEvent? _sampled;
    private int _holders;

    internal StepResult(StepResultPool pool) => _pool = pool;

    /// <summary>What goes to the next hop (hidden states) or around the ring (a token); null when nothing does.</summary>
    public StepFrame? Frame { get; private set; }

    /// <summary>What goes to the session's owner; null when the step was not sampled here.</summary>
    public ControlEvent? Sampled { get; private set; }

    /// <summary>Whether the frame is a step of an answer under way, which waits behind nobody's prompt.</summary>
    public bool IsDecode { get; set; }

    /// <summary>Bytes of the payload.</summary>
    public int PayloadBytes => _payload.Length;

    /// <summary>Where the payload is written.</summary>
    public Span<byte> Payload => _payload.Span;

    /// <summary>A frame around the payload, all of whose other fields are to be set. It is the payload of tokens or of hidden states.</summary>
    public StepFrame Wrap(bool isHidden)
    {
        if (isHidden) _frame.Hidden = _payload.Seal();
        else _frame.Tokens = _payload.Seal();
        return _frame;
    }

    /// <summary>The wrapped frame is what goes on.</summary>
    public void SetFrame() => Frame = _frame;

    /// <summary>A token for the owner, all of whose fields are to be set.</summary>
    public TokenSampled SetSampled()
    {
        Sampled = _sampled ??= new ControlEvent { Token = new TokenSampled() };
        return Sampled.Token;
    }

    /// <summary>One more holder.</summary>
    public void Acquire() => Interlocked.Increment(ref _holders);

    /// <summary>One holder less.</summary>
    public void Release()
    {
        int left = Interlocked.Decrement(ref _holders);
        System.Diagnostics.Debug.Assert(left >= 0, "A step's result was released more often than it was held.");
        if (left == 0) _pool.Return(this);
    }

    /// <summary>Starts anew with room for a payload, held once.</summary>
    internal void Begin(int payloadBytes)
    {
        _payload.Resize(0);
        _payload.Resize(payloadBytes);
        Clear();
        Volatile.Write(ref _holders, 1);
    }

    internal void Clear()
    {
        Frame = null;
        Sampled = null;
        IsDecode = false;
    }

    internal int BufferBytes => _payload.Capacity;
}
