using System.IO.Pipelines;
using Microsoft.AspNetCore.Http.Features;

namespace KwaaiNet.ApiNode.Tests.Fakes;

/// <summary>A response's body that nobody reads.</summary>
internal sealed class DiscardedBody : PipeWriter, IHttpResponseBodyFeature
{
    private readonly byte[] _buffer = new byte[1 << 16];
    private int _used;
    private int _flushes;

    /// <summary>Events that were flushed, and how the last thread to flush got so far.</summary>
    public Progress Flushed { get; private set; }

    public int Flushes => Volatile.Read(ref _flushes);

    public Stream Stream => Stream.Null;

    public PipeWriter Writer => this;

    public override void Advance(int bytes) => _used += bytes;

    public override Memory<byte> GetMemory(int sizeHint = 0) => _buffer.AsMemory(_used);

    public override Span<byte> GetSpan(int sizeHint = 0) => _buffer.AsSpan(_used);

    public override ValueTask<FlushResult> FlushAsync(CancellationToken cancellationToken = default)
    {
        // First: who sees the events sees the flush.
        Interlocked.Increment(ref _flushes);
        Flushed = Flushed.On(Environment.CurrentManagedThreadId, _buffer.AsSpan(0, _used).Count("\n\n"u8));
        _used = 0;
        return default;
    }

    public override void CancelPendingFlush()
    {
    }

    public override void Complete(Exception? exception = null)
    {
    }

    public void DisableBuffering()
    {
    }

    public Task StartAsync(CancellationToken cancellationToken = default) => Task.CompletedTask;

    public Task SendFileAsync(string path, long offset, long? count, CancellationToken cancellationToken = default) => throw new NotSupportedException();

    public Task CompleteAsync() => Task.CompletedTask;
}
