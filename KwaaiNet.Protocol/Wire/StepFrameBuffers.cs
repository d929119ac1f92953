using Google.Protobuf;
using KwaaiNet.Protocol.Sessions;

namespace KwaaiNet.Protocol.Wire;

/// <summary>A received frame with the buffers it lies in.</summary>
internal sealed class StepFrameBuffers
{
    private readonly StepFramePool _pool;
    private readonly ReusableBytes _sessionId = new();
    private int _isOut;

    public StepFrameBuffers(StepFramePool pool)
    {
        _pool = pool;
        _sessionId.Resize(SessionBounds.SessionIdBytes);
        Frame = new StepFrame { Buffers = this };
    }

    /// <summary>The frame. <see cref="Complete"/> makes it whole.</summary>
    public StepFrame Frame { get; }

    /// <summary>Where the session's id is written.</summary>
    public Span<byte> SessionId => _sessionId.Span;

    /// <summary>Where tokens or hidden states are written.</summary>
    public ReusableBytes Payload { get; } = new();

    /// <summary>Puts what was written into the frame.</summary>
    public StepFrame Complete(bool isHidden)
    {
        Frame.SessionId = _sessionId.Seal();
        ByteString payload = Payload.Seal();
        if (isHidden) Frame.Hidden = payload;
        else Frame.Tokens = payload;
        return Frame;
    }

    /// <summary>Nobody looks at the frame any more.</summary>
    public void Return()
    {
        if (Interlocked.Exchange(ref _isOut, 0) != 0) _pool.Return(this);
    }

    /// <summary>Somebody reads into the buffers.</summary>
    internal StepFrameBuffers Out()
    {
        Volatile.Write(ref _isOut, 1);
        return this;
    }
}
