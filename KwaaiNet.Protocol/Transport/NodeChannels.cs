using Grpc.Net.Client;

namespace KwaaiNet.Protocol.Transport;

/// <summary>gRPC channels to other nodes, one a peer, made when first asked for and kept. Safe for concurrent use.</summary>
/// <remarks>Mutual TLS with this node's identity; HTTP/2 keep-alive pings find a hung peer within about 3 seconds; no time limit on streams.</remarks>
public sealed class NodeChannels : IDisposable
{
    /// <summary>The channel to a peer.</summary>
    /// <param name="endpoint"><c>https://host:port</c>.</param>
    /// <param name="nodeId">The did:key that must answer there; null: any node.</param>
    /// <exception cref="ArgumentException"><paramref name="endpoint"/> is not an https address.</exception>
    public GrpcChannel Get(string endpoint, string? nodeId) => throw new NotSupportedException("replaced");

    /// <inheritdoc/>
    public void Dispose()
    {
    }
}
