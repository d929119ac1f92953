using KwaaiNet.Discovery.Backends;
using KwaaiNet.Discovery.Configuration;
using KwaaiNet.Discovery.Map;
using KwaaiNet.Discovery.Service;
using KwaaiNet.Discovery.Telemetry;
using KwaaiNet.Protocol.Discovery;
using KwaaiNet.ServiceDefaults;
using KwaaiNet.ServiceDefaults.Hosting;
using Microsoft.Extensions.Options;

namespace KwaaiNet.Discovery.Hosting;

/// <summary>Composes the discovery service.</summary>
public static class DiscoveryHost
{
    // A record is at most 64 KiB; nothing that is sent to this service is larger than one.
    private const int MaxRequestBytes = 128 * 1024;

    /// <summary>The service, not yet started.</summary>
    public static WebApplication Compose(string[] args)
    {
        WebApplicationBuilder builder = WebApplication.CreateBuilder(args);
        builder.AddServiceDefaults();
        builder.AddNode();
        builder.AddDiscovery();
        WebApplication app = builder.Build();
        app.MapDefaultEndpoints();
        app.MapGrpcService<DiscoveryService>();
        NetworkMapEndpoint.Map(app);
        return app;
    }

    private static void AddDiscovery(this WebApplicationBuilder builder)
    {
        IServiceCollection services = builder.Services;
        services.AddOptions<DiscoveryOptions>().BindConfiguration(DiscoveryOptions.Section).ValidateOnStart();
        services.AddSingleton<IValidateOptions<DiscoveryOptions>, DiscoveryOptionsAttributesValidator>();
        services.AddSingleton<IValidateOptions<DiscoveryOptions>, DiscoveryOptionsValidator>();
        services.AddSingleton(DirectoryBackends.Create);
        services.AddSingleton<INodeDirectory>(provider => provider.GetRequiredService<IDirectoryBackend>());
        services.AddHostedService<DirectoryStart>();
        // Of every network: the map and the gauge show them all.
        services.AddSingleton(provider => new NodeDirectoryView(
            provider.GetRequiredService<INodeDirectory>(),
            new NodeQuery(),
            provider.GetRequiredService<TimeProvider>(),
            provider.GetRequiredService<ILogger<NodeDirectoryView>>()));
        services.AddHostedService(provider => provider.GetRequiredService<NodeDirectoryView>());
        services.AddSingleton<DiscoveryMetrics>();
        services.AddSingleton<PeerLimits>();
        services.AddGrpc().AddServiceOptions<DiscoveryService>(grpc => grpc.MaxReceiveMessageSize = MaxRequestBytes);
        services.AddHealthChecks().AddCheck<DirectoryHealthCheck>("directory");
    }
}
