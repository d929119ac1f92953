using Grpc.Core;
using KwaaiNet.Protocol.Discovery;
using KwaaiNet.Protocol.Links;
using KwaaiNet.Protocol.Nodes;
using KwaaiNet.Protocol.Transport;
using KwaaiNet.ServiceDefaults.PriorKnowledge;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;

namespace KwaaiNet.ServiceDefaults.Hosting;

/// <summary>Makes an ASP.NET host a node.</summary>
public static class NodeHosting
{
    /// <summary>File in <see cref="NodeOptions.Home"/> that holds the node's key.</summary>
    public const string KeyFileName = "identity.key";

    /// <summary>
    /// Binds and validates <see cref="NodeOptions"/>, loads the identity, binds Kestrel (gRPC over HTTP/2 with mutual TLS on one port,
    /// HTTP/1 and HTTP/2 without TLS on the other) and registers <see cref="NodeOptions"/>' options, <see cref="NodeIdentity"/>, <see cref="NodeChannels"/>,
    /// <see cref="NodeEndpoints"/> and, when a discovery address is set, <see cref="INodeDirectory"/>.
    /// </summary>
    /// <remarks>
    /// Also: gRPC server services with the network's limits, <see cref="NodeAnnouncerDependencies"/>, the system's clock, <c>node.json</c>
    /// in <see cref="NodeOptions.Home"/> while the host runs (see <see cref="NodeFileWriter"/>), and <see cref="NodeOptions.ParentProcessId"/>.
    /// </remarks>
    public static WebApplicationBuilder AddNode(this WebApplicationBuilder builder)
    {
        ArgumentNullException.ThrowIfNull(builder);
        IServiceCollection services = builder.Services;
        services.TryAddSingleton(TimeProvider.System);
        services.AddOptions<NodeOptions>().BindConfiguration(NodeOptions.Section).ValidateOnStart();
        services.AddSingleton<IValidateOptions<NodeOptions>, NodeOptionsAttributesValidator>();
        services.AddSingleton<IValidateOptions<NodeOptions>, NodeOptionsValidator>();
        services.TryAddSingleton(LoadIdentity);
        services.TryAddSingleton<NodeOwnCertificate>();
        services.TryAddSingleton(provider => new NodeChannels(provider.GetRequiredService<NodeOwnCertificate>().Certificate, provider.GetRequiredService<TimeProvider>()));
        services.TryAddSingleton(provider => new NodeLinks(
            provider.GetRequiredService<NodeChannels>(),
            provider.GetRequiredService<IOptions<NodeOptions>>().Value.LinkPort == NodeOptions.NoLinks ? null : provider.GetRequiredService<NodeOwnCertificate>().Certificate,
            provider.GetRequiredService<TimeProvider>()));
        services.TryAddSingleton<NodeEndpoints>();
        services.TryAddSingleton<NodeAnnouncerDependencies>();
        services.AddHostedService<NodeEndpointsReporter>();
        services.AddHostedService<ParentProcessWatch>();
        services.AddTransient<IStartupFilter, HttpOneLimits>();
        services.AddGrpc(grpc =>
        {
            grpc.MaxReceiveMessageSize = NodeChannels.MaxMessageBytes;
            grpc.MaxSendMessageSize = NodeChannels.MaxMessageBytes;
            grpc.EnableDetailedErrors = false;
        });
        if (!string.IsNullOrEmpty(builder.Configuration[$"{NodeOptions.Section}:{nameof(NodeOptions.Discovery)}"]))
            services.TryAddSingleton<INodeDirectory, DiscoveryClient>();
        services.AddTransient<IStartupFilter, GrpcOverTls>();
        services.AddSingleton<LoopbackPorts>();
        services.AddOptions<SocketTransportOptions>().Configure<LoopbackPorts>((sockets, ports) => sockets.CreateBoundListenSocket = ports.Take);
        services.AddSingleton<PriorKnowledgeTransport>();
        services.AddSingleton<IConnectionListenerFactory>(provider => provider.GetRequiredService<PriorKnowledgeTransport>());
        services.AddOptions<KestrelServerOptions>().Configure<IServiceProvider>(NodeKestrel.Configure);
        // The ports of a node are Node:GrpcPort and Node:HttpPort; ASPNETCORE_URLS would only make Kestrel warn that it is not used.
        builder.WebHost.UseSetting(WebHostDefaults.ServerUrlsKey, string.Empty);
        NodeProgram.QuietLogs(builder.Logging, builder.Configuration);
        return builder;
    }

    /// <summary>Serves the duplex methods of a gRPC service over links too, by one instance of it.</summary>
    /// <param name="services">The host's services.</param>
    /// <param name="bind">The service's generated <c>BindService</c>.</param>
    public static IServiceCollection AddLinkService<TService>(this IServiceCollection services, Action<ServiceBinderBase, TService> bind)
        where TService : class
    {
        services.TryAddSingleton<TService>();
        services.AddSingleton(provider =>
        {
            LinkServices links = new();
            bind(links, provider.GetRequiredService<TService>());
            return links;
        });
        return services.AddHostedService<NodeLinkHost>();
    }

    /// <summary>Cuts a caller's connection: a peer that does not read is not waited for.</summary>
    public static void AbortCall(this ServerCallContext context)
    {
        if (context is LinkServerCallContext link)
            link.Abort();
        else
            context.GetHttpContext().Abort();
    }

    /// <summary>The did:key in the caller's certificate. Its signature has been checked during the handshake.</summary>
    /// <exception cref="RpcException">UNAUTHENTICATED: the caller showed no node certificate.</exception>
    public static string GetPeerNodeId(this ServerCallContext context)
    {
        if (context is LinkServerCallContext link)
            return link.NodeId;
        HttpContext http = context.GetHttpContext();
        TimeProvider time = http.RequestServices.GetService<TimeProvider>() ?? TimeProvider.System;
        return NodeCertificate.TryGetNodeId(http.Connection.ClientCertificate, time.GetUtcNow(), out string? nodeId, out string? reason)
            ? nodeId
            : throw new RpcException(new Status(StatusCode.Unauthenticated, $"Only nodes are served here: {reason}."));
    }

    private static NodeIdentity LoadIdentity(IServiceProvider provider)
    {
        string? home = provider.GetRequiredService<IOptions<NodeOptions>>().Value.Home;
        return string.IsNullOrEmpty(home) ? NodeIdentity.Create() : NodeIdentity.LoadOrCreate(Path.Combine(home, KeyFileName));
    }
}
