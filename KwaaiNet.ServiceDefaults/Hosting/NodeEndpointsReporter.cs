using System.Net;
using System.Net.NetworkInformation;
using System.Net.Sockets;
using KwaaiNet.Protocol.Nodes;
using KwaaiNet.Protocol.Transport;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace KwaaiNet.ServiceDefaults.Hosting;

/// <summary>Says where the node listens once its ports are bound: to <see cref="NodeEndpoints"/>, to the log, and to <see cref="NodeFileWriter"/>.</summary>
internal sealed partial class NodeEndpointsReporter(
    IServer server,
    NodeEndpoints endpoints,
    NodeIdentity identity,
    IOptions<NodeOptions> options,
    TimeProvider time,
    ILogger<NodeEndpointsReporter> logger) : IHostedLifecycleService
{
    private string? _file;

    public Task StartingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartedAsync(CancellationToken cancellationToken)
    {
        string? grpc = null;
        string? http = null;
        foreach (string address in server.Features.Get<IServerAddressesFeature>()?.Addresses ?? [])
        {
            Uri bound = new(address);
            // The place where HTTP/2 is spoken without TLS is none that anybody could call.
            if (!IPAddress.TryParse(bound.Host.Trim('[', ']'), out _))
                continue;
            if (bound.Scheme == Uri.UriSchemeHttps)
                grpc ??= Reachable(bound);
            else
                http ??= Reachable(bound);
        }

        NodeOptions node = options.Value;
        grpc = node.AdvertisedEndpoint ?? grpc;
        if (!string.IsNullOrEmpty(node.Home))
            _file = NodeFileWriter.Write(node.Home, new NodeFileContent(node.Name, identity.NodeId, Environment.ProcessId, grpc, http, time.GetUtcNow().ToUnixTimeMilliseconds()));
        endpoints.SetBound(grpc, http);
        LogListening(node.Name, identity.NodeId, grpc, http);
        return Task.CompletedTask;
    }

    public Task StoppingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppedAsync(CancellationToken cancellationToken)
    {
        if (_file is not null)
            NodeFileWriter.Delete(_file);
        return Task.CompletedTask;
    }

    // 0.0.0.0 is a place to listen, not one to call: say an address of this machine that others can reach.
    private static string Reachable(Uri bound)
    {
        string host = bound.Host.Trim('[', ']');
        if (!IPAddress.TryParse(host, out IPAddress? address) || !(address.Equals(IPAddress.Any) || address.Equals(IPAddress.IPv6Any)))
            return bound.GetLeftPart(UriPartial.Authority);
        IPAddress? own = NetworkInterface.GetAllNetworkInterfaces()
            .Where(face => face.OperationalStatus == OperationalStatus.Up && face.NetworkInterfaceType != NetworkInterfaceType.Loopback)
            .Select(face => face.GetIPProperties())
            .OrderByDescending(properties => properties.GatewayAddresses.Count > 0)
            .SelectMany(properties => properties.UnicastAddresses)
            .Select(unicast => unicast.Address)
            .FirstOrDefault(candidate => candidate.AddressFamily == AddressFamily.InterNetwork);
        return $"{bound.Scheme}://{own ?? IPAddress.Loopback}:{bound.Port}";
    }

    [LoggerMessage(LogLevel.Information, "{Name} is {NodeId}; gRPC at {Grpc}, HTTP at {Http}.")]
    private partial void LogListening(string name, string nodeId, string? grpc, string? http);
}
