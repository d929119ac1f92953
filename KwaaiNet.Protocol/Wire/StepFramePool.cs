using System.Collections.Concurrent;

namespace KwaaiNet.Protocol.Wire;

/// <summary>Received frames that nobody looks at any more, with their buffers: small ones for decode, large ones for prompts. Bounded in number and in bytes. Safe for concurrent use.</summary>
internal sealed class StepFramePool
{
    private const int SmallBytes = 64 * 1024;
    private const int MaxIdle = 512;
    private const long MaxIdleBytes = 64L << 20;

    private readonly ConcurrentQueue<StepFrameBuffers> _small = new();
    private readonly ConcurrentQueue<StepFrameBuffers> _large = new();
    private int _idle;
    private long _idleBytes;

    /// <summary>Of all links of the process.</summary>
    public static StepFramePool Shared { get; } = new();

    /// <summary>Buffers for a frame of about so many bytes; they may have to grow.</summary>
    public StepFrameBuffers Rent(int payloadBytes)
    {
        if ((payloadBytes > SmallBytes ? _large : _small).TryDequeue(out StepFrameBuffers? buffers))
        {
            Interlocked.Decrement(ref _idle);
            Interlocked.Add(ref _idleBytes, -buffers.Payload.Capacity);
            return buffers.Out();
        }

        return new StepFrameBuffers(this).Out();
    }

    /// <summary>Takes buffers back, or leaves them to the collector.</summary>
    public void Return(StepFrameBuffers buffers)
    {
        int bytes = buffers.Payload.Capacity;
        bool isOneTooMany = Interlocked.Increment(ref _idle) > MaxIdle;
        bool isTooMuch = Interlocked.Add(ref _idleBytes, bytes) > MaxIdleBytes;
        if (isOneTooMany || isTooMuch)
        {
            Interlocked.Decrement(ref _idle);
            Interlocked.Add(ref _idleBytes, -bytes);
            return;
        }

        (bytes > SmallBytes ? _large : _small).Enqueue(buffers);
    }
}
