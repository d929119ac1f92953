using Grpc.Core;
using KwaaiNet.Protocol.Links;
using KwaaiNet.Protocol.Wire;
using KwaaiNet.ShardNode.Frames;

namespace KwaaiNet.ShardNode.Forwarding;

/// <summary>The long-lived Steps streams to another node, one for prompts and one for answers under way. When either breaks the hop is dead; the next session makes a new one.</summary>
/// <remarks>
/// Two streams, so that a token's hidden state never stands behind megabytes of somebody's prompt: each has a queue of its own here, a flow
/// control and, over links, a connection of its own, and a reader of its own at the other end.
/// </remarks>
internal sealed partial class HopStream : IHop, IAsyncDisposable
{
    /// <summary>Bytes of prompts that may wait to be written before sessions are held back: some turns of prefill.</summary>
    internal const long MaxWaitingBytes = 16L << 20;

    private readonly HopLane _prompts;
    private readonly HopLane _answers;
    private readonly CancellationTokenSource _stop = new();
    private readonly NodeLinks _links;
    private readonly IHopListener _listener;
    private readonly ILogger _logger;
    private readonly string _endpoint;
    private readonly Task _running;
    private long _waitingBytes;
    private volatile bool _lost;
    private volatile bool _acknowledges;

    /// <summary>Starts to connect.</summary>
    public HopStream(Hop hop, NodeLinks links, IHopListener listener, ILogger logger)
    {
        NodeId = hop.NodeId;
        _endpoint = hop.Endpoint;
        _links = links;
        // Over a link the thread that computed a result sends it: it never waits there, and no other thread has to wake up for it.
        _prompts = new HopLane(links.AreOn, OnPromptWritten, OnAnswer);
        _answers = new HopLane(links.AreOn, static _ => { }, OnAnswer);
        _listener = listener;
        _logger = logger;
        _running = Task.Run(RunAsync);
    }

    /// <inheritdoc/>
    public string NodeId { get; }

    /// <inheritdoc/>
    public bool HasRoom => Volatile.Read(ref _waitingBytes) < MaxWaitingBytes;

    /// <inheritdoc/>
    public bool Acknowledges => _acknowledges;

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
        if (!result.IsDecode) Interlocked.Add(ref _waitingBytes, result.PayloadBytes);
        if (!(result.IsDecode ? _answers : _prompts).TrySend(result)) result.Release(); // dead: its sessions are being told
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
        Task prompts = Task.CompletedTask;
        Task answers = Task.CompletedTask;
        try
        {
            Shard.ShardClient client = new(_links.Invoker(_endpoint, NodeId));
            LogConnecting(NodeId, _endpoint);
            answers = _answers.RunAsync(client, _stop.Token);
            prompts = _prompts.RunAsync(client, _stop.Token);
            await (await Task.WhenAny(answers, prompts).ConfigureAwait(false)).ConfigureAwait(false);
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
            bool isWanted = !_stop.IsCancellationRequested;
            await _stop.CancelAsync().ConfigureAwait(false);
            _answers.End();
            _prompts.End();
            await Task.WhenAll(answers, prompts).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            // Before the listener is told: a session that comes after that must get a new stream, one that comes before is told as well.
            _lost = true;
            if (isWanted)
            {
                LogLost(NodeId, _endpoint, reason);
                _listener.OnLost(this, reason);
            }
        }
    }

    private void OnPromptWritten(int bytes)
    {
        long left = Interlocked.Add(ref _waitingBytes, -bytes);
        if (left < MaxWaitingBytes && left + bytes >= MaxWaitingBytes) _listener.OnRoom();
    }

    private void OnAnswer(StepRefused answer)
    {
        if (answer.Code != FailureCode.Unspecified)
        {
            _listener.OnRefused(this, answer);
            return;
        }

        _acknowledges = true;
        _listener.OnLeft(this, answer);
    }

    [LoggerMessage(LogLevel.Debug, "Connecting to the next hop {NodeId} at {Endpoint}.")]
    private partial void LogConnecting(string nodeId, string endpoint);

    [LoggerMessage(LogLevel.Warning, "The next hop {NodeId} at {Endpoint} is lost: {Reason}")]
    private partial void LogLost(string nodeId, string endpoint, string reason);
}
