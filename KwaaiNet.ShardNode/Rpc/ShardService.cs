using Grpc.Core;
using KwaaiNet.Protocol.Links;
using KwaaiNet.Protocol.Wire;
using KwaaiNet.ServiceDefaults.Hosting;
using KwaaiNet.ShardNode.Announcing;
using KwaaiNet.ShardNode.Configuration;
using KwaaiNet.ShardNode.Frames;
using KwaaiNet.ShardNode.Serving;
using KwaaiNet.ShardNode.Sessions;
using Microsoft.Extensions.Options;

namespace KwaaiNet.ShardNode.Rpc;

/// <summary>The network's side of a shard: streams in, streams out; everything that means something happens in the step loop.</summary>
internal sealed partial class ShardService(ShardServing serving, ShardAnnouncer announcer, IOptions<ShardOptions> options, ILogger<ShardService> logger) : Shard.ShardBase
{
    /// <inheritdoc/>
    public override async Task<DescribeReply> Describe(DescribeRequest request, ServerCallContext context) => new()
    {
        Record = (await announcer.SignNowAsync(context.CancellationToken).ConfigureAwait(false)).Wire,
    };

    /// <inheritdoc/>
    public override async Task Control(
        IAsyncStreamReader<ControlRequest> requestStream, IServerStreamWriter<ControlEvent> responseStream, ServerCallContext context)
    {
        SessionOwner owner = new(context.GetPeerNodeId(), inLine: context is LinkServerCallContext);
        using CancellationTokenSource ended = CancellationTokenSource.CreateLinkedTokenSource(context.CancellationToken, serving.StreamsEnd);
        // The writer is not cut off when the node stops: what its sessions came to is the last thing an owner must hear.
        Task writing = owner.WriteToAsync(responseStream, context.CancellationToken);
        Task reading = ReadControlAsync(requestStream, owner, ended.Token);
        // When the writer ends first the node stops; a peer that has stopped reading is given up. The stream is over either way.
        await Task.WhenAny(reading, writing, owner.GivenUp).ConfigureAwait(false);
        owner.Leave();
        serving.CloseAllOf(owner);
        // The write that the peer does not take would wait for ever.
        if (owner.GivenUp.IsCompleted) context.AbortCall();
        await EndAsync("Control", owner.NodeId, context, ended, writing, reading).ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public override async Task Steps(
        IAsyncStreamReader<StepFrame> requestStream, IServerStreamWriter<StepRefused> responseStream, ServerCallContext context)
    {
        StepStream stream = new(context.GetPeerNodeId(), options.Value.MaxQueuedSteps);
        using CancellationTokenSource ended = CancellationTokenSource.CreateLinkedTokenSource(context.CancellationToken, serving.StreamsEnd);
        // A client waits for the headers before it knows that the stream stands; there may be nothing to say for hours.
        await context.WriteResponseHeadersAsync([]).ConfigureAwait(false);
        Task writing = stream.WriteToAsync(responseStream, context.CancellationToken);
        Task reading = ReadStepsAsync(requestStream, stream, ended.Token);
        await Task.WhenAny(reading, writing).ConfigureAwait(false);
        stream.Leave();
        await EndAsync("Steps", stream.NodeId, context, ended, writing, reading).ConfigureAwait(false);
    }

    // What is in line is still written when the peer has only finished sending, or the node stops.
    private async Task EndAsync(string stream, string peer, ServerCallContext context, CancellationTokenSource ended, Task writing, Task reading)
    {
        await writing.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await ended.CancelAsync().ConfigureAwait(false);
        await reading.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        foreach (Exception fault in new[] { reading, writing }.SelectMany(loop => loop.Exception?.InnerExceptions ?? []))
        {
            // A peer that goes away breaks both loops in one of many ways; a fault of our own does not wait for that.
            if (fault is IOException or RpcException or OperationCanceledException || context.CancellationToken.IsCancellationRequested) LogBroken(stream, peer, fault.Message);
            else LogFault(fault, stream, peer);
        }
    }

    private Task ReadControlAsync(IAsyncStreamReader<ControlRequest> stream, SessionOwner owner, CancellationToken cancellationToken) => stream.ForEachAsync(
        async request =>
        {
            switch (request.RequestCase)
            {
                case ControlRequest.RequestOneofCase.Open:
                    await owner.WaitForCommandAsync(request.Open.CalculateSize(), cancellationToken).ConfigureAwait(false);
                    serving.Open(request.Open, owner);
                    break;
                case ControlRequest.RequestOneofCase.Close:
                    await owner.WaitForCommandAsync(request.Close.CalculateSize(), cancellationToken).ConfigureAwait(false);
                    serving.Close(request.Close, owner);
                    break;
                case ControlRequest.RequestOneofCase.Ping when serving.IsStuck:
                    // A pong would say that all is well; without one the peer leaves.
                    break;
                case ControlRequest.RequestOneofCase.Ping:
                    owner.Post(new ControlEvent { Pong = new Pong { Nonce = request.Ping.Nonce } });
                    break;
                default:
                    // A request of a later version: not understood, and no reason to end what is understood.
                    break;
            }
        },
        cancellationToken);

    private Task ReadStepsAsync(IAsyncStreamReader<StepFrame> stream, StepStream source, CancellationToken cancellationToken) => stream.ForEachAsync(
        async frame =>
        {
            await source.WaitForSlotsAsync(frame, cancellationToken).ConfigureAwait(false);
            serving.Arrive(new IncomingStep(frame, source));
        },
        cancellationToken);

    [LoggerMessage(LogLevel.Debug, "The {Stream} stream of {Peer} broke: {Reason}")]
    private partial void LogBroken(string stream, string peer, string reason);

    [LoggerMessage(LogLevel.Error, "The {Stream} stream of {Peer} ended by a fault of this node.")]
    private partial void LogFault(Exception fault, string stream, string peer);
}
