using System.Net.Sockets;

namespace KwaaiNet.Protocol.Links;

/// <summary>
/// The stream below TLS. Reads block the calling thread in <c>poll</c>, which wakes it directly, without a hand-off from the runtime's own
/// poller. Writes only collect; <see cref="LinkSender"/> sends what was collected.
/// </summary>
/// <param name="socket">Connected; belongs to the stream.</param>
/// <param name="sender">Takes what is written.</param>
/// <param name="readTimeout">How long a read waits for the peer's next byte before the peer counts as dead, in milliseconds.</param>
internal sealed class LinkSocketStream(Socket socket, LinkSender sender, int readTimeout) : Stream
{
    /// <inheritdoc/>
    public override bool CanRead => true;

    /// <inheritdoc/>
    public override bool CanSeek => false;

    /// <inheritdoc/>
    public override bool CanWrite => true;

    /// <inheritdoc/>
    public override long Length => throw new NotSupportedException();

    /// <inheritdoc/>
    public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

    /// <inheritdoc/>
    public override int Read(Span<byte> buffer)
    {
        try
        {
            return socket.Poll(TimeSpan.FromMilliseconds(readTimeout), SelectMode.SelectRead)
                ? socket.Receive(buffer, SocketFlags.None)
                : throw new IOException($"nothing was heard of it for {readTimeout / 1000.0:0.#} s");
        }
        catch (Exception error) when (error is SocketException or ObjectDisposedException)
        {
            throw new IOException(error.Message, error);
        }
    }

    /// <inheritdoc/>
    public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

    /// <inheritdoc/>
    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) =>
        await socket.ReceiveAsync(buffer, SocketFlags.None, cancellationToken).ConfigureAwait(false);

    /// <inheritdoc/>
    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    /// <inheritdoc/>
    public override void Write(ReadOnlySpan<byte> buffer) => sender.Collect(buffer);

    /// <inheritdoc/>
    public override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));

    /// <inheritdoc/>
    public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        // The handshake's messages: few, small, and waited for by the peer.
        sender.Collect(buffer.Span);
        sender.Send();
        return ValueTask.CompletedTask;
    }

    /// <inheritdoc/>
    public override Task WriteAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        WriteAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    /// <inheritdoc/>
    public override void Flush()
    {
    }

    /// <inheritdoc/>
    public override Task FlushAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <inheritdoc/>
    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    /// <inheritdoc/>
    public override void SetLength(long value) => throw new NotSupportedException();
}
