using KwaaiNet.Discovery.Hosting;
using KwaaiNet.Protocol.Discovery;
using KwaaiNet.Protocol.Nodes;
using KwaaiNet.Protocol.Transport;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;

namespace KwaaiNet.Discovery.Tests;

/// <summary>The discovery service as it runs, and a node that asks it.</summary>
public sealed class DiscoveryServer : IAsyncLifetime
{
    private readonly NodeIdentity _caller = NodeIdentity.Create();
    private WebApplication _app = null!;

    public string Http { get; private set; } = "";

    public string Grpc { get; private set; } = "";

    public INodeDirectory Client { get; private set; } = null!;

    public NodeDirectoryView View => _app.Services.GetRequiredService<NodeDirectoryView>();

    internal NodeChannels Channels { get; private set; } = null!;

    public string NodeId => _app.Services.GetRequiredService<NodeIdentity>().NodeId;

    public async ValueTask InitializeAsync() => await StartAsync();

    public async Task StartAsync(params string[] settings)
    {
        _app = DiscoveryHost.Compose(["--Node:GrpcPort=0", "--Node:HttpPort=0", "--Logging:LogLevel:Default=None", "--Discovery:CallsPerSecond=1000000", .. settings]);
        await _app.StartAsync(TestContext.Current.CancellationToken);
        NodeEndpoints endpoints = _app.Services.GetRequiredService<NodeEndpoints>();
        Grpc = (await endpoints.GetGrpcAsync(TestContext.Current.CancellationToken))!;
        Http = (await endpoints.GetHttpAsync(TestContext.Current.CancellationToken))!;
        Channels = new NodeChannels(_caller);
        Client = new DiscoveryClient(Channels, Grpc, NodeId, TimeProvider.System, NullLogger<DiscoveryClient>.Instance);
    }

    public async Task StopAsync() => await _app.StopAsync(CancellationToken.None);

    public async ValueTask DisposeAsync()
    {
        await _app.StopAsync(CancellationToken.None);
        await _app.DisposeAsync();
        Channels.Dispose();
        _caller.Dispose();
    }
}
