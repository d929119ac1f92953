using Grpc.Core;
using Microsoft.AspNetCore.Builder;

namespace KwaaiNet.Protocol.Transport;

/// <summary>Makes an ASP.NET host a node.</summary>
public static class NodeHosting
{
    /// <summary>
    /// Binds and validates <see cref="NodeOptions"/>, loads the identity, binds Kestrel (gRPC over HTTP/2 with mutual TLS on one port,
    /// HTTP/1 on the other) and registers <see cref="NodeOptions"/>' options, <see cref="Nodes.NodeIdentity"/>, <see cref="NodeChannels"/>,
    /// <see cref="NodeEndpoints"/> and, when a discovery address is set, <see cref="Discovery.INodeDirectory"/>.
    /// </summary>
    public static WebApplicationBuilder AddNode(this WebApplicationBuilder builder) => throw new NotSupportedException("replaced");

    /// <summary>The did:key in the caller's certificate. Its signature has been checked during the handshake.</summary>
    /// <exception cref="RpcException">UNAUTHENTICATED: the caller showed no node certificate.</exception>
    public static string GetPeerNodeId(this ServerCallContext context) => throw new NotSupportedException("replaced");
}
