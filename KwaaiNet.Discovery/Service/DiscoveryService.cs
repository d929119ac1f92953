using System.Globalization;
using Grpc.Core;
using KwaaiNet.Discovery.Telemetry;
using KwaaiNet.Protocol.Discovery;
using KwaaiNet.Protocol.Nodes;
using KwaaiNet.Protocol.Wire;
using KwaaiNet.ServiceDefaults.Hosting;
using WireDiscovery = KwaaiNet.Protocol.Wire.Discovery;

namespace KwaaiNet.Discovery.Service;

/// <summary>The directory over gRPC. A record is signed by its node, so whoever carries it may announce it; how much one peer may send is bounded.</summary>
internal sealed class DiscoveryService(
    INodeDirectory directory,
    PeerLimits limits,
    DiscoveryMetrics metrics,
    TimeProvider time,
    IHostApplicationLifetime lifetime) : WireDiscovery.DiscoveryBase
{
    /// <inheritdoc/>
    public override async Task<AnnounceReply> Announce(AnnounceRequest request, ServerCallContext context)
    {
        limits.Take(context.GetPeerNodeId());
        await AnswerAsync(async () =>
        {
            await directory.AnnounceAsync(Verify(request.Record), context.CancellationToken).ConfigureAwait(false);
            metrics.Announced(DiscoveryMetrics.Announce);
        }).ConfigureAwait(false);
        return new AnnounceReply();
    }

    /// <inheritdoc/>
    public override async Task<WithdrawReply> Withdraw(WithdrawRequest request, ServerCallContext context)
    {
        limits.Take(context.GetPeerNodeId());
        await AnswerAsync(async () =>
        {
            await directory.WithdrawAsync(Verify(request.Record), context.CancellationToken).ConfigureAwait(false);
            metrics.Announced(DiscoveryMetrics.Withdraw);
        }).ConfigureAwait(false);
        return new WithdrawReply();
    }

    /// <inheritdoc/>
    public override async Task<LookupReply> Lookup(LookupRequest request, ServerCallContext context)
    {
        limits.Take(context.GetPeerNodeId());
        LookupReply reply = new();
        await AnswerAsync(async () =>
        {
            foreach (SignedNodeRecord record in await directory.LookupAsync(ToQuery(request), context.CancellationToken).ConfigureAwait(false))
                reply.Records.Add(record.Wire);
            metrics.LookedUp();
        }).ConfigureAwait(false);
        return reply;
    }

    /// <inheritdoc/>
    public override async Task Watch(WatchRequest request, IServerStreamWriter<WatchEvent> responseStream, ServerCallContext context)
    {
        limits.Take(context.GetPeerNodeId());
        using IDisposable place = limits.TakeWatch();
        // Streams have no end of their own; without this the host would wait for them when it stops.
        using CancellationTokenSource stop = CancellationTokenSource.CreateLinkedTokenSource(context.CancellationToken, lifetime.ApplicationStopping);
        await AnswerAsync(async () =>
        {
            try
            {
                await foreach (NodeChange change in directory.WatchAsync(ToQuery(request.Query), stop.Token).ConfigureAwait(false))
                    await responseStream.WriteAsync(new WatchEvent { Kind = (WatchEvent.Types.Kind)change.Kind, Record = change.Record?.Wire }, stop.Token).ConfigureAwait(false);
            }
            catch (OperationCanceledException) when (lifetime.ApplicationStopping.IsCancellationRequested)
            {
                throw new RpcException(new Status(StatusCode.Unavailable, "The discovery service is stopping."));
            }
        }).ConfigureAwait(false);
    }

    private static NodeQuery ToQuery(LookupRequest? request) => new(Filter(request?.Network), Filter(request?.Model), Filter(request?.NodeId));

    private static string? Filter(string? value) => string.IsNullOrEmpty(value) ? null : value;

    private SignedNodeRecord Verify(SignedRecord? record) =>
        SignedNodeRecord.Verify(record ?? throw new NodeRecordException("record is missing."), time);

    private async Task AnswerAsync(Func<Task> call)
    {
        try
        {
            await call().ConfigureAwait(false);
        }
        catch (NodeRecordException error) when (error.StoredSequence is ulong stored)
        {
            metrics.Refused();
            Metadata trailers = new() { { DiscoveryClient.StoredSequenceTrailer, stored.ToString(CultureInfo.InvariantCulture) } };
            throw new RpcException(new Status(StatusCode.FailedPrecondition, error.Message), trailers);
        }
        catch (NodeRecordException error)
        {
            metrics.Refused();
            throw new RpcException(new Status(StatusCode.InvalidArgument, error.Message));
        }
        catch (DirectoryUnavailableException error)
        {
            throw new RpcException(new Status(StatusCode.Unavailable, error.Message));
        }
        catch (OperationCanceledException)
        {
            throw new RpcException(new Status(StatusCode.Cancelled, "The call was cancelled."));
        }
    }
}
