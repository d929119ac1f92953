using System.Collections.Concurrent;

namespace KwaaiNet.ShardNode.Frames;

/// <summary>Results no one holds any more, with their buffers: small ones for decode, large ones for prompts. Bounded in number and in bytes.</summary>
internal sealed class StepResultPool
{
    private const int SmallBytes = 64 * 1024;
    private const int MaxIdle = 512;
    private const long MaxIdleBytes = 64L << 20;

    private readonly ConcurrentQueue<StepResult> _small = new();
    private readonly ConcurrentQueue<StepResult> _large = new();
    private int _idle;
    private long _idleBytes;

    /// <summary>A result with room for a payload, held once by the caller.</summary>
    public StepResult Rent(int payloadBytes)
    {
        if ((payloadBytes > SmallBytes ? _large : _small).TryDequeue(out StepResult? result))
        {
            Interlocked.Decrement(ref _idle);
            Interlocked.Add(ref _idleBytes, -result.BufferBytes);
        }
        else
        {
            result = new StepResult(this);
        }

        result.Begin(payloadBytes);
        return result;
    }

    internal void Return(StepResult result)
    {
        result.Clear();
        int bytes = result.BufferBytes;
        bool isOneTooMany = Interlocked.Increment(ref _idle) > MaxIdle;
        bool isTooMuch = Interlocked.Add(ref _idleBytes, bytes) > MaxIdleBytes;
        if (isOneTooMany || isTooMuch)
        {
            Interlocked.Decrement(ref _idle);
            Interlocked.Add(ref _idleBytes, -bytes);
            return;
        }

        (bytes > SmallBytes ? _large : _small).Enqueue(result);
    }
}
