using System.Threading.Channels;
using Grpc.Core;
using KwaaiNet.Protocol.Links;
using KwaaiNet.Protocol.Wire;
using KwaaiNet.ShardNode.Frames;

namespace KwaaiNet.ShardNode.Forwarding;

/// <summary>One long-lived Steps stream to another node: one writer, one reader of refusals. When it breaks it is dead; the next session makes a new one.</summary>
internal sealed partial class HopStream : IHop, IAsyncDisposable
{
    /// <summary>Bytes that may wait to be written before sessions are held back: some turns of prefill, or very many of decode.</summary>
    internal const long MaxWaitingBytes = 16L << 20;

    private readonly Channel<StepResult> _waiting;
    private readonly CancellationTokenSource _stop = new();
    private readonly NodeLinks _links;
    private readonly IHopListener _listener;
    private readonly ILogger _logger;
    private readonly string _endpoint;
    private readonly Task _running;
    private long _waitingBytes;
    private volatile bool _lost;

    /// <summary>Starts to connect.</summary>
    public HopStream(Hop hop, NodeLinks links, IHopListener listener, ILogger logger)
    {
        NodeId = hop.NodeId;
        _endpoint = hop.Endpoint;
        _links = links;
        // Over a link the thread that computed a result sends it: it never waits there, and no other thread has to wake up for it.
        _waiting = Channel.CreateUnbounded<StepResult>(new UnboundedChannelOptions { SingleReader = true, AllowSynchronousContinuations = links.AreOn });
        _listener = listener;
        _logger = logger;
        _running = Task.Run(RunAsync);
    }

    /// <inheritdoc/>
    public string NodeId { get; }

    /// <inheritdoc/>
    public bool HasRoom => Volatile.Read(ref _waitingBytes) < MaxWaitingBytes;

    /// <summary>Whether the stream has ended.</summary>
    public bool IsLost => _lost;

    /// <summary>Sessions that use it. Belongs to the step loop.</summary>
    public int Users { get; set; }

    /// <summary>Grows from one stream to the next that is left by its last session. Belongs to the step loop.</summary>
    public long LeftAs { get; set; }

    /// <inheritdoc/>
    public void Send(StepResult result)
    {
        result.Acquire();
        Interlocked.Add(ref _waitingBytes, result.PayloadBytes);
        if (!_waiting.Writer.TryWrite(result)) result.Release(); // dead: its sessions are being told
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync().ConfigureAwait(false);
        await _running.ConfigureAwait(false);
        _stop.Dispose();
    }

    private async Task RunAsync()
    {
        string reason = "the node ended the stream";
        Task writing = Task.CompletedTask;
        Task reading = Task.CompletedTask;
        try
        {
            Shard.ShardClient client = new(_links.Invoker(_endpoint, NodeId));
            using AsyncDuplexStreamingCall<StepFrame, StepRefused> call = client.Steps(cancellationToken: _stop.Token);
            LogConnecting(NodeId, _endpoint);
            writing = WriteAsync(call.RequestStream);
            reading = ReadAsync(call.ResponseStream);
            // Whichever ends first ends the stream; the call's disposal then ends the other.
            await (await Task.WhenAny(reading, writing).ConfigureAwait(false)).ConfigureAwait(false);
        }
        catch (RpcException failure)
        {
            reason = failure.Status.Detail;
        }
        catch (Exception failure) when (failure is IOException or InvalidOperationException or OperationCanceledException or ArgumentException or ObjectDisposedException)
        {
            reason = failure.Message;
        }
        finally
        {
            _waiting.Writer.TryComplete();
            await Task.WhenAll(reading, writing).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            while (_waiting.Reader.TryRead(out StepResult? unsent)) unsent.Release();
            // Before the listener is told: a session that comes after that must get a new stream, one that comes before is told as well.
            _lost = true;
            if (!_stop.IsCancellationRequested)
            {
                LogLost(NodeId, _endpoint, reason);
                _listener.OnLost(this, reason);
            }
        }
    }

    private async Task WriteAsync(IClientStreamWriter<StepFrame> stream)
    {
        WriteOptions flush = new();
        WriteOptions more = new(WriteFlags.BufferHint);
        while (await _waiting.Reader.WaitToReadAsync(_stop.Token).ConfigureAwait(false))
        {
            while (_waiting.Reader.TryRead(out StepResult? result))
            {
                int bytes = result.PayloadBytes;
                try
                {
                    // Frames of one batch leave as one write to the socket.
                    stream.WriteOptions = _waiting.Reader.TryPeek(out _) ? more : flush;
                    await stream.WriteAsync(result.Frame!, _stop.Token).ConfigureAwait(false);
                }
                finally
                {
                    // The message is serialised once the write is done; nothing reads the buffer after it.
                    result.Release();
                }

                long left = Interlocked.Add(ref _waitingBytes, -bytes);
                if (left < MaxWaitingBytes && left + bytes >= MaxWaitingBytes) _listener.OnRoom();
            }
        }
    }

    private async Task ReadAsync(IAsyncStreamReader<StepRefused> stream)
    {
        while (await stream.MoveNext(_stop.Token).ConfigureAwait(false)) _listener.OnRefused(this, stream.Current);
    }

    [LoggerMessage(LogLevel.Debug, "Connecting to the next hop {NodeId} at {Endpoint}.")]
    private partial void LogConnecting(string nodeId, string endpoint);

    [LoggerMessage(LogLevel.Warning, "The next hop {NodeId} at {Endpoint} is lost: {Reason}")]
    private partial void LogLost(string nodeId, string endpoint, string reason);
}
