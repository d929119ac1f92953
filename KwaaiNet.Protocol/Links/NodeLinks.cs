using System.Collections.Concurrent;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using Grpc.Core;
using KwaaiNet.Protocol.Transport;
using KwaaiNet.Protocol.Wire;

namespace KwaaiNet.Protocol.Links;

/// <summary>Clients of other nodes' services whose duplex calls go over links where the node has a port for them, and over gRPC's own HTTP/2 where it has none. Safe for concurrent use.</summary>
/// <remarks>
/// The node itself is asked for the port, once a process, by <c>Describe</c>: nobody else has to know of it. Calls that are not duplex go
/// over gRPC always. A link call fails as a gRPC call does, with <see cref="RpcException"/>.
/// </remarks>
public sealed class NodeLinks
{
    private static readonly TimeSpan s_connectTimeout = TimeSpan.FromSeconds(1.5);
    private static readonly TimeSpan s_answerTimeout = TimeSpan.FromSeconds(3);
    private static readonly TimeSpan s_unreachableFor = TimeSpan.FromSeconds(30);

    private readonly NodeChannels _channels;
    private readonly X509Certificate2? _certificate;
    private readonly TimeProvider _time;
    private readonly ConcurrentDictionary<(string Endpoint, string? NodeId), int> _ports = new();
    private readonly ConcurrentDictionary<(string Endpoint, string? NodeId), long> _unreachable = new();

    /// <summary>Links of a node.</summary>
    /// <param name="channels">gRPC to other nodes.</param>
    /// <param name="certificate">Made by <see cref="NodeCertificate.Create"/>; kept and disposed by the caller. Null: gRPC alone.</param>
    /// <param name="time">The clock of certificates and signs of life.</param>
    public NodeLinks(NodeChannels channels, X509Certificate2? certificate, TimeProvider time)
    {
        _channels = channels;
        _certificate = certificate;
        _time = time;
    }

    /// <summary>Whether links are used where there are any.</summary>
    public bool AreOn => _certificate is not null;

    /// <summary>What calls to a node are made with.</summary>
    /// <param name="endpoint"><c>https://host:port</c> of its gRPC.</param>
    /// <param name="nodeId">The did:key that must answer there; null: any node.</param>
    /// <exception cref="ArgumentException"><paramref name="endpoint"/> is not an https address.</exception>
    public CallInvoker Invoker(string endpoint, string? nodeId)
    {
        CallInvoker grpc = _channels.Get(endpoint, nodeId).CreateCallInvoker();
        return AreOn ? new LinkCallInvoker(this, grpc, endpoint, nodeId) : grpc;
    }

    /// <summary>A connection to the node's link port; null when it has none, or it cannot be reached from here: gRPC then tells what is wrong, or works.</summary>
    /// <exception cref="RpcException">The node does not answer.</exception>
    internal async Task<LinkConnection?> TryConnectAsync(string endpoint, string? nodeId, CancellationToken cancellationToken)
    {
        (string, string?) node = (endpoint, nodeId);
        if (_unreachable.TryGetValue(node, out long since) && _time.GetElapsedTime(since) < s_unreachableFor) return null;
        while (true)
        {
            bool isNews = !_ports.TryGetValue(node, out int port);
            if (isNews) port = await AskPortAsync(endpoint, nodeId, cancellationToken).ConfigureAwait(false);
            if (port == 0) return null;
            if (await TryConnectAsync(endpoint, nodeId, port, cancellationToken).ConfigureAwait(false) is { } link)
            {
                _ports[node] = port;
                return link;
            }

            _ports.TryRemove(node, out _);
            if (!isNews) continue; // Another process by now, with another port: it is asked.
            _unreachable[node] = _time.GetTimestamp();
            return null;
        }
    }

    private async Task<LinkConnection?> TryConnectAsync(string endpoint, string? nodeId, int port, CancellationToken cancellationToken)
    {
        using CancellationTokenSource limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        Socket socket = new(SocketType.Stream, ProtocolType.Tcp);
        bool isConnected = false;
        try
        {
            limit.CancelAfter(s_connectTimeout);
            await socket.ConnectAsync(new Uri(endpoint).IdnHost, port, limit.Token).ConfigureAwait(false);
            isConnected = true;
            limit.CancelAfter(s_answerTimeout);
            return await LinkConnection.ConnectAsync(
                socket, NodeTls.Client(_certificate!, endpoint, nodeId, _time), NodeChannels.MaxMessageBytes, _time, limit.Token).ConfigureAwait(false);
        }
        catch (Exception error) when (error is SocketException or IOException or AuthenticationException or OperationCanceledException)
        {
            socket.Dispose();
            cancellationToken.ThrowIfCancellationRequested();
            // Behind a closed port, a wall or another program's port gRPC may still be answered; a process that takes connections and says nothing is hung.
            if (error is not OperationCanceledException || !isConnected) return null;
            _ports.TryRemove((endpoint, nodeId), out _);
            throw new RpcException(new Status(StatusCode.Unavailable, $"{endpoint} (link port {port}) does not answer within {s_answerTimeout.TotalSeconds:0} s", error));
        }
    }

    private async Task<int> AskPortAsync(string endpoint, string? nodeId, CancellationToken cancellationToken)
    {
        try
        {
            Shard.ShardClient client = new(_channels.Get(endpoint, nodeId));
            DescribeReply reply = await client.DescribeAsync(
                new DescribeRequest(), deadline: _time.GetUtcNow().UtcDateTime + s_answerTimeout, cancellationToken: cancellationToken).ResponseAsync.ConfigureAwait(false);
            // From the node itself, over a connection that proved its identity: no signature has to be checked for this.
            uint port = NodeRecord.Parser.ParseFrom(reply.Record?.Record ?? Google.Protobuf.ByteString.Empty).LinkPort;
            return port <= ushort.MaxValue ? (int)port : 0;
        }
        catch (Exception error) when (error is Google.Protobuf.InvalidProtocolBufferException or RpcException { StatusCode: StatusCode.Unimplemented })
        {
            return 0;
        }
    }
}
