using System.Buffers;
using System.Diagnostics;
using System.Net.Security;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using System.Security.Cryptography.X509Certificates;

namespace KwaaiNet.Protocol.Links;

/// <summary>One TLS connection with frames of <see cref="LinkFormat"/>: sent from any thread without waiting, read by one thread of its own.</summary>
/// <remarks>
/// The thread that computed a result encrypts and hands it to the system itself, and the thread that reads runs what follows from a frame:
/// between two nodes lies one wake-up of a thread, not six.
/// </remarks>
internal sealed class LinkConnection : IDisposable
{
    /// <summary>Bytes that may wait to be sent before writers are asked to wait.</summary>
    public const long MaxWaitingBytes = 4L << 20;

    /// <summary>Time between two signs of life.</summary>
    public static readonly TimeSpan BeatPeriod = TimeSpan.FromSeconds(1);

    private const int ReadTimeoutMilliseconds = 3_000;
    private const int FirstBufferBytes = 16 * 1024;
    private const int FirstPlainBytes = 4096;
    private const int MaxCopiedBytes = 15 * 1024;
    private const int MaxKeptBytes = 1 << 20;

    private readonly Socket _socket;
    private readonly LinkSender _sender;
    private readonly SslStream _tls;
    private readonly int _maxMessage;
    private readonly Lock _writing = new();
    private ArrayBufferWriter<byte> _plain = new(FirstPlainBytes);
    private ITimer? _beats;
    private TaskCompletionSource? _room;
    private Action? _told;
    private string? _broken;
    private volatile bool _readEnough;
    private byte[] _buffer = new byte[FirstBufferBytes];
    private int _start;
    private int _end;

    private LinkConnection(Socket socket, int maxMessage)
    {
        _socket = socket;
        _maxMessage = maxMessage;
        socket.NoDelay = true;
        _sender = new LinkSender(socket)
        {
            Failed = Break,
            Left = waiting =>
            {
                if (waiting < MaxWaitingBytes) Interlocked.Exchange(ref _room, null)?.TrySetResult();
            },
        };
        _tls = new SslStream(new LinkSocketStream(socket, _sender, ReadTimeoutMilliseconds), leaveInnerStreamOpen: true);
    }

    /// <summary>Why the connection is over; null while it stands.</summary>
    public string? Broken => Volatile.Read(ref _broken);

    /// <summary>The peer's certificate, checked in the handshake.</summary>
    public X509Certificate2? PeerCertificate => _tls.RemoteCertificate as X509Certificate2;

    /// <summary>The client's side.</summary>
    /// <exception cref="System.Security.Authentication.AuthenticationException">The peer is not who it should be.</exception>
    /// <exception cref="IOException">The connection broke.</exception>
    public static async Task<LinkConnection> ConnectAsync(Socket connected, SslClientAuthenticationOptions options, int maxMessage, TimeProvider time, CancellationToken cancellationToken)
    {
        LinkConnection link = new(connected, maxMessage);
        try
        {
            options.ApplicationProtocols = [new SslApplicationProtocol(LinkFormat.Protocol)];
            await link._tls.AuthenticateAsClientAsync(options, cancellationToken).ConfigureAwait(false);
            link.Begin(time);
            return link;
        }
        catch
        {
            link.Dispose();
            throw;
        }
    }

    /// <summary>The server's side.</summary>
    /// <exception cref="System.Security.Authentication.AuthenticationException">The peer is no node, or speaks another protocol.</exception>
    /// <exception cref="IOException">The connection broke.</exception>
    public static async Task<LinkConnection> AcceptAsync(Socket accepted, SslServerAuthenticationOptions options, int maxMessage, TimeProvider time, CancellationToken cancellationToken)
    {
        LinkConnection link = new(accepted, maxMessage);
        try
        {
            options.ApplicationProtocols = [new SslApplicationProtocol(LinkFormat.Protocol)];
            await link._tls.AuthenticateAsServerAsync(options, cancellationToken).ConfigureAwait(false);
            link.Begin(time);
            return link;
        }
        catch
        {
            link.Dispose();
            throw;
        }
    }

    /// <summary>Sends a frame whose payload <paramref name="write"/> makes. A broken connection takes nothing and says nothing: its reader tells.</summary>
    /// <param name="kind">The frame's kind.</param>
    /// <param name="state">Passed on to <paramref name="write"/>.</param>
    /// <param name="write">Writes the payload.</param>
    /// <param name="flush">Whether it leaves now, or with the next one that does.</param>
    public void Send<TState>(LinkFrameKind kind, TState state, Action<TState, ArrayBufferWriter<byte>> write, bool flush = true) =>
        Send(kind, state, write, default, flush);

    /// <summary>Sends a frame whose payload is what <paramref name="write"/> makes and, behind it, <paramref name="tail"/>.</summary>
    public void Send<TState>(LinkFrameKind kind, TState state, Action<TState, ArrayBufferWriter<byte>> write, ReadOnlyMemory<byte> tail, bool flush)
    {
        // A short tail goes into the same record of TLS; a long one is not copied.
        bool isCopied = tail.Length <= MaxCopiedBytes;
        lock (_writing)
        {
            if (_broken is not null) return;
            _plain.ResetWrittenCount();
            _plain.GetSpan(LinkFormat.HeaderBytes);
            _plain.Advance(LinkFormat.HeaderBytes);
            write(state, _plain);
            int length = _plain.WrittenCount - LinkFormat.HeaderBytes + tail.Length;
            if (isCopied) _plain.Write(tail.Span);
            // The writer's own array, which it only lends for reading.
            MemoryMarshal.TryGetArray(_plain.WrittenMemory, out ArraySegment<byte> written);
            LinkFormat.WriteHeader(written.AsSpan(), kind, length);
            try
            {
                // Arrays and not spans, which the stream would copy into an array first.
                _tls.Write(written.Array!, written.Offset, written.Count);
                if (!isCopied) WriteTail(tail);
            }
            catch (Exception error) when (error is IOException or ObjectDisposedException or InvalidOperationException)
            {
                Break(error.Message);
                return;
            }

            if (_plain.Capacity > MaxKeptBytes) _plain = new ArrayBufferWriter<byte>(FirstPlainBytes);
        }

        if (flush) _sender.Send();
    }

    /// <summary>Done when fewer than <see cref="MaxWaitingBytes"/> wait to be sent, or the connection is over.</summary>
    public Task WaitForRoomAsync()
    {
        if (_sender.Waiting < MaxWaitingBytes) return Task.CompletedTask;
        TaskCompletionSource mine = new(TaskCreationOptions.RunContinuationsAsynchronously);
        TaskCompletionSource room = Interlocked.CompareExchange(ref _room, mine, null) ?? mine;
        // It may have become empty, or broken, since the look.
        if (_sender.Waiting < MaxWaitingBytes || _broken is not null) Interlocked.Exchange(ref _room, null)?.TrySetResult();
        return room.Task;
    }

    /// <summary>Reads the next frame that is not a sign of life. Blocks; the payload lies in a buffer that the next call overwrites.</summary>
    /// <exception cref="IOException">The connection ended or the peer is dead.</exception>
    /// <exception cref="InvalidDataException">The peer sent what is no frame.</exception>
    public (LinkFrameKind Kind, ReadOnlyMemory<byte> Payload) Read()
    {
        (LinkFrameKind kind, int length) = ReadHeader();
        return (kind, ReadPayload(length));
    }

    /// <summary>Reads the header of the next frame that is not a sign of life. Blocks; its whole payload is to be read next.</summary>
    /// <exception cref="IOException">The connection ended or the peer is dead.</exception>
    /// <exception cref="InvalidDataException">The peer sent what is no frame.</exception>
    public (LinkFrameKind Kind, int Length) ReadHeader()
    {
        while (true)
        {
            Fill(LinkFormat.HeaderBytes);
            (LinkFrameKind kind, int length) = LinkFormat.ReadHeader(_buffer.AsSpan(_start, LinkFormat.HeaderBytes), _maxMessage);
            _start += LinkFormat.HeaderBytes;
            // The peer's signs of life bring a thread here, at the latest, whose call has ended meanwhile.
            if (_readEnough) throw new IOException("the call has ended");
            if (kind != LinkFrameKind.Beat) return (kind, length);
        }
    }

    /// <summary>Reads so many bytes of a payload. Blocks; they lie in a buffer that the next call overwrites.</summary>
    /// <exception cref="IOException">The connection ended or the peer is dead.</exception>
    public ReadOnlyMemory<byte> ReadPayload(int length)
    {
        Fill(length);
        ReadOnlyMemory<byte> payload = _buffer.AsMemory(_start, length);
        _start += length;
        return payload;
    }

    /// <summary>Reads bytes of a payload to where they are wanted: as many as are there, at least one. Blocks.</summary>
    /// <exception cref="IOException">The connection ended or the peer is dead.</exception>
    public int ReadSome(ArraySegment<byte> destination)
    {
        int there = Math.Min(_end - _start, destination.Count);
        if (there == 0) return ReadTls(destination.Array!, destination.Offset, destination.Count);

        _buffer.AsSpan(_start, there).CopyTo(destination);
        _start += there;
        return there;
    }

    /// <summary>Tells somebody, once, that the connection has broken or is closed.</summary>
    public void OnBroken(Action tell)
    {
        Interlocked.Exchange(ref _told, tell);
        if (Broken is not null) Interlocked.Exchange(ref _told, null)?.Invoke();
    }

    /// <summary>Ends the connection; the first reason given stays.</summary>
    public void Break(string reason)
    {
        if (Interlocked.CompareExchange(ref _broken, reason, null) is not null) return;
        _beats?.Dispose();
        Interlocked.Exchange(ref _room, null)?.TrySetResult();
        Interlocked.Exchange(ref _told, null)?.Invoke();
        try
        {
            // Wakes the thread that waits in poll.
            _socket.Shutdown(SocketShutdown.Both);
        }
        catch (Exception error) when (error is SocketException or ObjectDisposedException)
        {
            // Not connected any more.
        }
    }

    /// <summary>Ends a <see cref="Read"/> that waits, with the next frame that comes.</summary>
    public void StopReading() => _readEnough = true;

    /// <summary>Waits until the peer has closed too, so that what was sent last is not cut off; blocks.</summary>
    public void WaitUntilPeerCloses(TimeSpan patience)
    {
        long began = Stopwatch.GetTimestamp();
        try
        {
            for (TimeSpan left = patience; left > TimeSpan.Zero && _socket.Poll(left, SelectMode.SelectRead); left = patience - Stopwatch.GetElapsedTime(began))
            {
                if (_socket.Receive(_buffer) == 0) return;
            }
        }
        catch (Exception error) when (error is SocketException or ObjectDisposedException)
        {
            // Closed.
        }
    }

    /// <summary>Nothing is sent after this; what the system has taken still arrives.</summary>
    public void EndSending()
    {
        _beats?.Dispose();
        try
        {
            _socket.Shutdown(SocketShutdown.Send);
        }
        catch (Exception error) when (error is SocketException or ObjectDisposedException)
        {
            // Not connected any more.
        }
    }

    /// <summary>Ends the connection after what waits has been given to the system, as far as it takes it.</summary>
    public void Dispose()
    {
        Break("closed");
        _socket.Dispose();
        // The sender's operation and TLS's state may be in use on other threads in this moment; the collector takes them.
    }

    private void Begin(TimeProvider time) => _beats = time.CreateTimer(
        _ => Send(LinkFrameKind.Beat, 0, static (_, _) => { }), null, BeatPeriod, BeatPeriod);

    private void WriteTail(ReadOnlyMemory<byte> tail)
    {
        if (MemoryMarshal.TryGetArray(tail, out ArraySegment<byte> array)) _tls.Write(array.Array!, array.Offset, array.Count);
        else _tls.Write(tail.Span);
    }

    private int ReadTls(byte[] buffer, int offset, int count)
    {
        int read = _tls.Read(buffer, offset, count);
        return read > 0 ? read : throw new IOException("the node ended the connection");
    }

    // The buffer grows with what has come, not with what a header promises.
    private void Fill(int count)
    {
        while (_end - _start < count)
        {
            if (_start == _end) _start = _end = 0;
            if (_start > 0 && (_buffer.Length - _start < count || _buffer.Length == _end))
            {
                _buffer.AsSpan(_start, _end - _start).CopyTo(_buffer);
                (_start, _end) = (0, _end - _start);
            }

            if (_end == _buffer.Length) Array.Resize(ref _buffer, (int)Math.Min((long)_buffer.Length * 2, Array.MaxLength));
            _end += ReadTls(_buffer, _end, _buffer.Length - _end);
        }

        if (_buffer.Length > MaxKeptBytes && _end - _start < FirstBufferBytes && count < FirstBufferBytes)
        {
            byte[] smaller = new byte[FirstBufferBytes];
            _buffer.AsSpan(_start, _end - _start).CopyTo(smaller);
            (_buffer, _start, _end) = (smaller, 0, _end - _start);
        }
    }
}
