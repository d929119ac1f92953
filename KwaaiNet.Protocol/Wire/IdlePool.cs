using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;

namespace KwaaiNet.Protocol.Wire;

/// <summary>Objects with buffers that nobody uses now, kept to be used again: small ones for decode, large ones for prompts. Bounded in number and in bytes. Safe for concurrent use.</summary>
/// <typeparam name="T">What is kept.</typeparam>
/// <param name="bytesOf">Bytes of an object's buffers; they do not change while it is here.</param>
public sealed class IdlePool<T>(Func<T, int> bytesOf)
    where T : class
{
    private const int SmallBytes = 64 * 1024;
    private const int MaxIdle = 512;
    private const long MaxIdleBytes = 64L << 20;

    private readonly ConcurrentQueue<T> _small = new();
    private readonly ConcurrentQueue<T> _large = new();
    private int _idle;
    private long _idleBytes;

    /// <summary>One whose buffers have room for about so many bytes; they may have to grow. False: there is none.</summary>
    public bool TryTake(int bytes, [NotNullWhen(true)] out T? item)
    {
        if (!(bytes > SmallBytes ? _large : _small).TryDequeue(out item)) return false;

        Interlocked.Decrement(ref _idle);
        Interlocked.Add(ref _idleBytes, -bytesOf(item));
        return true;
    }

    /// <summary>Keeps one that nobody uses any more, or leaves it to the collector.</summary>
    public void Add(T item)
    {
        int bytes = bytesOf(item);
        bool isOneTooMany = Interlocked.Increment(ref _idle) > MaxIdle;
        bool isTooMuch = Interlocked.Add(ref _idleBytes, bytes) > MaxIdleBytes;
        if (isOneTooMany || isTooMuch)
        {
            Interlocked.Decrement(ref _idle);
            Interlocked.Add(ref _idleBytes, -bytes);
            return;
        }

        (bytes > SmallBytes ? _large : _small).Enqueue(item);
    }
}
