using System.Collections.Concurrent;
using System.Security.Cryptography.X509Certificates;
using Grpc.Net.Client;
using KwaaiNet.Protocol.Nodes;

namespace KwaaiNet.Protocol.Transport;

/// <summary>gRPC channels to other nodes, one a peer, made when first asked for and kept. Safe for concurrent use.</summary>
/// <remarks>
/// Mutual TLS with this node's identity; HTTP/2 keep-alive pings find a hung peer within about 3 seconds; no time limit on streams and no
/// retries: a step that is tried again must be tried again by the chain. A lost connection is made anew by the next call. A peer that is
/// not the expected node fails calls with UNAVAILABLE or INTERNAL and a status detail that names both node ids.
/// </remarks>
public sealed class NodeChannels : IDisposable
{
    /// <summary>Largest gRPC message, sent or received, in bytes: 64 MiB.</summary>
    public const int MaxMessageBytes = 64 * 1024 * 1024;

    private static readonly TimeSpan s_connectTimeout = TimeSpan.FromSeconds(3);
    private static readonly TimeSpan s_pingDelay = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan s_pingTimeout = TimeSpan.FromSeconds(2);

    private readonly X509Certificate2 _certificate;
    private readonly bool _ownsCertificate;
    private readonly TimeProvider _time;
    private readonly ConcurrentDictionary<(string Endpoint, string? NodeId), Lazy<GrpcChannel>> _channels = new();
    private volatile bool _disposed;

    /// <summary>Channels of a node with this identity.</summary>
    public NodeChannels(NodeIdentity identity, TimeProvider? time = null)
        : this(NodeCertificate.Create(identity), time ?? TimeProvider.System) => _ownsCertificate = true;

    /// <summary>Channels that show a certificate made by <see cref="NodeCertificate.Create"/>, which the caller keeps and disposes.</summary>
    public NodeChannels(X509Certificate2 certificate, TimeProvider time)
    {
        _certificate = certificate;
        _time = time;
    }

    /// <summary>The channel to a peer.</summary>
    /// <param name="endpoint"><c>https://host:port</c>.</param>
    /// <param name="nodeId">The did:key that must answer there; null: any node.</param>
    /// <exception cref="ArgumentException"><paramref name="endpoint"/> is not an https address.</exception>
    /// <exception cref="ObjectDisposedException">The node has stopped.</exception>
    public GrpcChannel Get(string endpoint, string? nodeId)
    {
        ArgumentNullException.ThrowIfNull(endpoint);
        ObjectDisposedException.ThrowIf(_disposed, this);
        if (!NodeRecordBounds.IsAddress(endpoint, Uri.UriSchemeHttps))
            throw new ArgumentException($"'{endpoint}' is not the address of a node: https://host:port is expected.", nameof(endpoint));
        return _channels.GetOrAdd((endpoint, nodeId), key => new Lazy<GrpcChannel>(() => Create(key.Endpoint, key.NodeId))).Value;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        if (_disposed)
            return;
        _disposed = true;
        foreach (Lazy<GrpcChannel> channel in _channels.Values)
            channel.Value.Dispose();
        if (_ownsCertificate)
            _certificate.Dispose();
    }

    private GrpcChannel Create(string endpoint, string? nodeId) => GrpcChannel.ForAddress(endpoint, new GrpcChannelOptions
    {
        HttpHandler = new SocketsHttpHandler
        {
            SslOptions = NodeTls.Client(_certificate, endpoint, nodeId, _time),
            ConnectTimeout = s_connectTimeout,
            KeepAlivePingDelay = s_pingDelay,
            KeepAlivePingTimeout = s_pingTimeout,
            KeepAlivePingPolicy = HttpKeepAlivePingPolicy.Always,
            EnableMultipleHttp2Connections = true,
            PooledConnectionIdleTimeout = Timeout.InfiniteTimeSpan,
            PooledConnectionLifetime = Timeout.InfiniteTimeSpan,
            InitialHttp2StreamWindowSize = 1024 * 1024,
            UseProxy = false,
            UseCookies = false,
            AllowAutoRedirect = false,
            // Trace context travels inside the messages; one header a stream would name only its first request.
            ActivityHeadersPropagator = null,
        },
        DisposeHttpClient = true,
        MaxReceiveMessageSize = MaxMessageBytes,
        MaxSendMessageSize = MaxMessageBytes,
        MaxRetryAttempts = null,
        InitialReconnectBackoff = TimeSpan.FromMilliseconds(200),
        MaxReconnectBackoff = TimeSpan.FromSeconds(2),
    });
}
