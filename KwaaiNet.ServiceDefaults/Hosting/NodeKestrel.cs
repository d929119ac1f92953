using System.Net;
using KwaaiNet.Protocol.Transport;
using KwaaiNet.ServiceDefaults.PriorKnowledge;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace KwaaiNet.ServiceDefaults.Hosting;

/// <summary>The two ports of a node and the limits that long-lived streams need.</summary>
internal static class NodeKestrel
{
    private const int MaxStreamsPerConnection = 1024;
    private const int StreamWindowBytes = 4 * 1024 * 1024;
    private const int ConnectionWindowBytes = 16 * 1024 * 1024;
    private static readonly TimeSpan s_pingDelay = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan s_pingTimeout = TimeSpan.FromSeconds(4);

    public static void Configure(KestrelServerOptions kestrel, IServiceProvider services)
    {
        NodeOptions options = services.GetRequiredService<IOptions<NodeOptions>>().Value;
        if (options.GrpcPort is null && options.HttpPort is null)
            throw new OptionsValidationException(nameof(NodeOptions), typeof(NodeOptions), ["Neither Node:GrpcPort nor Node:HttpPort is set: nobody could reach this node. Set one of them (0 lets the system choose a port)."]);
        kestrel.AddServerHeader = false;
        kestrel.Limits.Http2.MaxStreamsPerConnection = MaxStreamsPerConnection;
        kestrel.Limits.Http2.InitialStreamWindowSize = StreamWindowBytes;
        kestrel.Limits.Http2.InitialConnectionWindowSize = ConnectionWindowBytes;
        kestrel.Limits.Http2.KeepAlivePingDelay = s_pingDelay;
        kestrel.Limits.Http2.KeepAlivePingTimeout = s_pingTimeout;
        // A neighbour that says nothing for minutes, or waits for a busy one, is well: keep-alive pings tell the dead from the quiet.
        // HttpOneLimits puts Kestrel's own rates back for HTTP/1.
        kestrel.Limits.MinRequestBodyDataRate = null;
        kestrel.Limits.MinResponseDataRate = null;

        _ = NodeOptionsValidator.TryGetListenAddress(options.Host, out IPAddress address);
        if (options.GrpcPort is int grpcPort)
        {
            NodeOwnCertificate own = services.GetRequiredService<NodeOwnCertificate>();
            TimeProvider time = services.GetRequiredService<TimeProvider>();
            kestrel.Listen(address, grpcPort, listen =>
            {
                listen.Protocols = HttpProtocols.Http2;
                listen.UseHttps(https => NodeServerTls.Configure(https, own.Certificate, time));
            });
        }

        if (options.HttpPort is int httpPort)
        {
            PriorKnowledgeTransport http2 = services.GetRequiredService<PriorKnowledgeTransport>();
            foreach (IPEndPoint endpoint in services.GetRequiredService<LoopbackPorts>().EndPoints(address, httpPort))
            {
                kestrel.Listen(endpoint, listen =>
                {
                    listen.Protocols = HttpProtocols.Http1;
                    listen.AcceptHttp2(http2, kestrel.Limits.KeepAliveTimeout);
                });
            }

            kestrel.Listen(new PriorKnowledgeEndPoint(), listen => listen.Protocols = HttpProtocols.Http2);
        }
    }
}
