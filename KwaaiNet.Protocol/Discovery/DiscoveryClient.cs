using System.Globalization;
using System.Runtime.CompilerServices;
using Grpc.Core;
using KwaaiNet.Protocol.Nodes;
using KwaaiNet.Protocol.Transport;
using KwaaiNet.Protocol.Wire;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using WireDiscovery = KwaaiNet.Protocol.Wire.Discovery;

namespace KwaaiNet.Protocol.Discovery;

/// <summary>The directory as a discovery service tells it over gRPC. Every record that comes back is verified again: the service is a courier, not a witness.</summary>
public sealed partial class DiscoveryClient : INodeDirectory
{
    /// <summary>Time limit of one announce, withdraw or lookup.</summary>
    public static readonly TimeSpan CallTimeout = TimeSpan.FromSeconds(5);

    /// <summary>Trailer of a refused announcement: the sequence that the directory holds, in decimal digits.</summary>
    public const string StoredSequenceTrailer = "kwaainet-stored-sequence";

    private readonly WireDiscovery.DiscoveryClient _grpc;
    private readonly string _endpoint;
    private readonly TimeProvider _time;
    private readonly ILogger<DiscoveryClient> _logger;

    /// <summary>A client of the service at <see cref="NodeOptions.Discovery"/>.</summary>
    public DiscoveryClient(NodeChannels channels, IOptions<NodeOptions> options, TimeProvider time, ILogger<DiscoveryClient> logger)
        : this(channels, options.Value.Discovery ?? throw new ArgumentException("Node:Discovery is not set.", nameof(options)), options.Value.DiscoveryNodeId, time, logger)
    {
    }

    /// <summary>A client of the service at an address.</summary>
    /// <param name="channels">This node's channels.</param>
    /// <param name="endpoint"><c>https://host:port</c>.</param>
    /// <param name="nodeId">The did:key that must answer there; null: any node.</param>
    /// <param name="time">The clock records are held against.</param>
    /// <param name="logger">Says which records were not believed.</param>
    public DiscoveryClient(NodeChannels channels, string endpoint, string? nodeId, TimeProvider time, ILogger<DiscoveryClient> logger)
    {
        ArgumentNullException.ThrowIfNull(channels);
        _endpoint = endpoint;
        _grpc = new WireDiscovery.DiscoveryClient(channels.Get(endpoint, nodeId));
        _time = time;
        _logger = logger;
    }

    /// <inheritdoc/>
    public async Task AnnounceAsync(SignedNodeRecord record, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(record);
        try
        {
            await _grpc.AnnounceAsync(new AnnounceRequest { Record = record.Wire }, Limited(cancellationToken)).ConfigureAwait(false);
        }
        catch (RpcException error)
        {
            throw Translate(error, cancellationToken);
        }
    }

    /// <inheritdoc/>
    public async Task WithdrawAsync(SignedNodeRecord tombstone, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(tombstone);
        try
        {
            await _grpc.WithdrawAsync(new WithdrawRequest { Record = tombstone.Wire }, Limited(cancellationToken)).ConfigureAwait(false);
        }
        catch (RpcException error)
        {
            throw Translate(error, cancellationToken);
        }
    }

    /// <inheritdoc/>
    public async Task<IReadOnlyList<SignedNodeRecord>> LookupAsync(NodeQuery query, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(query);
        LookupReply reply;
        try
        {
            reply = await _grpc.LookupAsync(ToWire(query), Limited(cancellationToken)).ConfigureAwait(false);
        }
        catch (RpcException error)
        {
            throw Translate(error, cancellationToken);
        }

        List<SignedNodeRecord> records = new(reply.Records.Count);
        foreach (SignedRecord wire in reply.Records)
        {
            if (TryVerify(wire) is { } record && query.Matches(record))
                records.Add(record);
        }

        return records;
    }

    /// <inheritdoc/>
    public async IAsyncEnumerable<NodeChange> WatchAsync(NodeQuery query, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(query);
        using AsyncServerStreamingCall<WatchEvent> call = _grpc.Watch(new WatchRequest { Query = ToWire(query) }, cancellationToken: cancellationToken);
        while (true)
        {
            try
            {
                if (!await call.ResponseStream.MoveNext(cancellationToken).ConfigureAwait(false))
                    throw new DirectoryUnavailableException($"The discovery service at {_endpoint} ended the watch. Watch again.");
            }
            catch (RpcException error)
            {
                throw Translate(error, cancellationToken);
            }

            WatchEvent change = call.ResponseStream.Current;
            switch (change.Kind)
            {
                case WatchEvent.Types.Kind.SnapshotEnd:
                    yield return new NodeChange(NodeChangeKind.SnapshotEnd, null);
                    break;
                case WatchEvent.Types.Kind.Announced or WatchEvent.Types.Kind.Withdrawn or WatchEvent.Types.Kind.Expired
                    when change.Record is not null && TryVerify(change.Record) is { } record
                        // Only its owner may say that a node has left: the tombstone is signed, so a courier cannot make one up.
                        && (change.Kind == WatchEvent.Types.Kind.Withdrawn) == record.Record.Withdrawn:
                    yield return new NodeChange((NodeChangeKind)change.Kind, record);
                    break;
            }
        }
    }

    private static CallOptions Limited(CancellationToken cancellationToken) => new(deadline: DateTime.UtcNow + CallTimeout, cancellationToken: cancellationToken);

    private static LookupRequest ToWire(NodeQuery query) =>
        new() { Network = query.Network ?? "", Model = query.Model ?? "", NodeId = query.NodeId ?? "" };

    private SignedNodeRecord? TryVerify(SignedRecord wire)
    {
        try
        {
            return SignedNodeRecord.Verify(wire, _time);
        }
        catch (NodeRecordException error)
        {
            LogNotBelieved(_endpoint, error.Message);
            return null;
        }
    }

    private Exception Translate(RpcException error, CancellationToken cancellationToken) => error.StatusCode switch
    {
        StatusCode.Cancelled when cancellationToken.IsCancellationRequested => new OperationCanceledException("The call was cancelled.", error, cancellationToken),
        StatusCode.InvalidArgument or StatusCode.FailedPrecondition => new NodeRecordException(error.Status.Detail)
        {
            StoredSequence = ulong.TryParse(error.Trailers.GetValue(StoredSequenceTrailer), NumberStyles.None, CultureInfo.InvariantCulture, out ulong stored) ? stored : null,
        },
        _ => new DirectoryUnavailableException(
            $"The discovery service at {_endpoint} cannot be used ({error.StatusCode}: {error.Status.Detail}). Check that it runs and that Node:Discovery and Node:DiscoveryNodeId name it.", error)
        {
            // With an exception of its own a failure is this end's: nobody there has said anything.
            Word = error.Status is { DebugException: null, Detail.Length: > 0 } said ? said.Detail : null,
        },
    };

    [LoggerMessage(LogLevel.Warning, "A record from the discovery service at {Endpoint} is not believed: {Reason}")]
    private partial void LogNotBelieved(string endpoint, string reason);
}
