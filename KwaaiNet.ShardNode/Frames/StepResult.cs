using Google.Protobuf;
using KwaaiNet.Protocol.Wire;

namespace KwaaiNet.ShardNode.Frames;

/// <summary>What came out of one step: kept until the session's next step replaces it, so that a repeated step is answered without running again.</summary>
/// <remarks>
/// The frame's payload lies in a pooled buffer that the session (the kept result) and streams still writing it hold together;
/// the last to <see cref="Release"/> gives it back. Acquire and release are safe from any thread.
/// </remarks>
internal sealed class StepResult
{
    private readonly StepResultPool _pool;
    private byte[] _buffer = [];
    private int _holders;

    internal StepResult(StepResultPool pool) => _pool = pool;

    /// <summary>What goes to the next hop (hidden states) or around the ring (a token); null when nothing does.</summary>
    public StepFrame? Frame { get; private set; }

    /// <summary>What goes to the session's owner; null when the step was not sampled here.</summary>
    public ControlEvent? Sampled { get; set; }

    /// <summary>Bytes of the payload.</summary>
    public int PayloadBytes { get; private set; }

    /// <summary>Where the payload is written before <see cref="Seal"/>.</summary>
    public Span<byte> Payload => _buffer.AsSpan(0, PayloadBytes);

    /// <summary>Starts anew with room for a payload, held once.</summary>
    internal void Begin(int payloadBytes)
    {
        // An exact size: steps of a session have few different ones, and a pool of powers of two would waste half of a prefill.
        if (_buffer.Length < payloadBytes) _buffer = GC.AllocateUninitializedArray<byte>(payloadBytes);
        PayloadBytes = payloadBytes;
        Frame = null;
        Sampled = null;
        Volatile.Write(ref _holders, 1);
    }

    /// <summary>The payload as protobuf bytes, without a copy: the buffer does not change while anyone holds this result.</summary>
    public ByteString Seal() => UnsafeByteOperations.UnsafeWrap(_buffer.AsMemory(0, PayloadBytes));

    /// <summary>Sets the frame that <see cref="Seal"/>ed bytes travel in.</summary>
    public void SetFrame(StepFrame frame) => Frame = frame;

    /// <summary>One more holder.</summary>
    public void Acquire() => Interlocked.Increment(ref _holders);

    /// <summary>One holder less.</summary>
    public void Release()
    {
        int left = Interlocked.Decrement(ref _holders);
        System.Diagnostics.Debug.Assert(left >= 0, "A step's result was released more often than it was held.");
        if (left == 0) _pool.Return(this);
    }

    internal void Clear()
    {
        Frame = null;
        Sampled = null;
    }

    internal int BufferBytes => _buffer.Length;
}
