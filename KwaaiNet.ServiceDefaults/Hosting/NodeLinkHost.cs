using System.Net;
using KwaaiNet.Protocol.Links;
using KwaaiNet.Protocol.Transport;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;

namespace KwaaiNet.ServiceDefaults.Hosting;

/// <summary>Serves links while the host runs, beside gRPC and on a port of their own. Listens before anything is announced.</summary>
internal sealed class NodeLinkHost(
    IOptions<NodeOptions> options, LinkServices services, NodeOwnCertificate own, NodeEndpoints endpoints, TimeProvider time) : IHostedLifecycleService
{
    private LinkListener? _listener;

    public Task StartingAsync(CancellationToken cancellationToken)
    {
        NodeOptions node = options.Value;
        if (node.LinkPort == NodeOptions.NoLinks)
            return Task.CompletedTask;
        _ = NodeOptionsValidator.TryGetListenAddress(node.Host, out IPAddress address);
        _listener = new LinkListener(address, node.LinkPort, services, own.Certificate, time);
        endpoints.LinkPort = node.AdvertisedLinkPort ?? (node.AdvertisedEndpoint is null || node.LinkPort > 0 ? _listener.Port : 0);
        return Task.CompletedTask;
    }

    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public async Task StoppedAsync(CancellationToken cancellationToken)
    {
        if (_listener is not null)
            await _listener.DisposeAsync().ConfigureAwait(false);
    }
}
