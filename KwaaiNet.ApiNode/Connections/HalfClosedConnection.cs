using System.Buffers;
using System.IO.Pipelines;
using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Http.Features;

namespace KwaaiNet.ApiNode.Connections;

/// <summary>A connection that lives on when its client has said all it has to say and only listens from now on.</summary>
/// <remarks>
/// Kestrel takes the end of what a client sends for the end of the connection, and aborts the request. Here what the client sends is
/// passed on through a pipe, so that its end can be told from a broken connection, and only who reads up to it hears of it. A client
/// that has gone altogether says no more than one that still listens; what is sent to it (<see cref="InterimResponses"/>, or the next
/// part of a stream) comes back, and the connection breaks.
/// </remarks>
internal sealed class HalfClosedConnection : ConnectionContext
{
    private readonly ConnectionContext _inner;
    private readonly Socket _socket;
    private readonly HalfClosedOptions _options;
    private readonly TimeProvider _time;
    private readonly PipeReader _source;
    private readonly Pipe _input = new();
    private readonly CancellationTokenSource _closed = new();
    private readonly CancellationTokenSource _ended = new();

    private HalfClosedConnection(ConnectionContext inner, Socket socket, HalfClosedOptions options, TimeProvider time)
    {
        _inner = inner;
        _socket = socket;
        _options = options;
        _time = time;
        _source = inner.Transport.Input;
        Transport = new Duplex(new LateEndReader(_input.Reader), inner.Transport.Output);
        ConnectionClosed = _closed.Token;
    }

    /// <inheritdoc/>
    public override string ConnectionId
    {
        get => _inner.ConnectionId;
        set => _inner.ConnectionId = value;
    }

    /// <inheritdoc/>
    public override IFeatureCollection Features => _inner.Features;

    /// <inheritdoc/>
    public override IDictionary<object, object?> Items
    {
        get => _inner.Items;
        set => _inner.Items = value;
    }

    /// <inheritdoc/>
    public override IDuplexPipe Transport { get; set; }

    /// <inheritdoc/>
    public override CancellationToken ConnectionClosed { get; set; }

    /// <inheritdoc/>
    public override EndPoint? LocalEndPoint
    {
        get => _inner.LocalEndPoint;
        set => _inner.LocalEndPoint = value;
    }

    /// <inheritdoc/>
    public override EndPoint? RemoteEndPoint
    {
        get => _inner.RemoteEndPoint;
        set => _inner.RemoteEndPoint = value;
    }

    /// <summary>What may be sent before an answer; also a feature of the connection and its requests.</summary>
    public InterimResponses Interim { get; } = new();

    /// <summary>Serves a connection. One that is no socket is served as it is.</summary>
    public static async Task ServeAsync(ConnectionContext connection, ConnectionDelegate next, HalfClosedOptions options, TimeProvider time)
    {
        if (connection.Features.Get<IConnectionSocketFeature>()?.Socket is not { ProtocolType: ProtocolType.Tcp } socket)
        {
            await next(connection).ConfigureAwait(false);
            return;
        }

        HalfClosedConnection wrapped = new(connection, socket, options, time);
        connection.Features.Set(wrapped.Interim);
        Task passing = wrapped.PassOnAsync();
        try
        {
            await next(wrapped).ConfigureAwait(false);
        }
        finally
        {
            await wrapped._ended.CancelAsync().ConfigureAwait(false);
            wrapped._source.CancelPendingRead();
            await wrapped._input.Reader.CompleteAsync().ConfigureAwait(false);
            await passing.ConfigureAwait(false);
        }
    }

    /// <inheritdoc/>
    public override void Abort(ConnectionAbortedException abortReason)
    {
        _inner.Abort(abortReason);
        Close();
    }

    /// <inheritdoc/>
    public override ValueTask DisposeAsync() => _inner.DisposeAsync();

    // Not on this thread: whoever hears of it may abort the connection again.
    private void Close() => _ = _closed.CancelAsync();

    private async Task PassOnAsync()
    {
        Exception? broken = null;
        try
        {
            bool more = true;
            while (more)
            {
                ReadResult read = await _source.ReadAsync().ConfigureAwait(false);
                foreach (ReadOnlyMemory<byte> part in read.Buffer)
                {
                    _input.Writer.Write(part.Span);
                }

                _source.AdvanceTo(read.Buffer.End);
                FlushResult flushed = await _input.Writer.FlushAsync().ConfigureAwait(false);
                more = !read.IsCompleted && !read.IsCanceled && !flushed.IsCompleted;
            }
        }
        catch (Exception exception) when (exception is IOException or OperationCanceledException)
        {
            broken = exception;
        }

        await _input.Writer.CompleteAsync(broken).ConfigureAwait(false);
        if (broken is null && !_ended.IsCancellationRequested)
        {
            await WatchAsync().ConfigureAwait(false);
        }

        Close();
    }

    // Until the answer is given or nobody is there any more to take it.
    private async Task WatchAsync()
    {
        try
        {
            using PeriodicTimer look = new(_options.LookPeriod, _time);
            long probed = _time.GetTimestamp();
            while (await look.WaitForNextTickAsync(_ended.Token).ConfigureAwait(false) && !_socket.Poll(0, SelectMode.SelectError))
            {
                if (_time.GetElapsedTime(probed) >= _options.ProbePeriod)
                {
                    probed = _time.GetTimestamp();
                    Interim.Send();
                }
            }
        }
        catch (Exception exception) when (exception is SocketException or ObjectDisposedException or OperationCanceledException)
        {
            // The connection broke under a write, or its last answer is given.
        }
    }

    private sealed class Duplex(PipeReader input, PipeWriter output) : IDuplexPipe
    {
        public PipeReader Input => input;

        public PipeWriter Output => output;
    }
}
