using System.Globalization;
using KwaaiNet.ApiNode.Chat;
using KwaaiNet.ApiNode.Configuration;
using KwaaiNet.ApiNode.Connections;
using KwaaiNet.ApiNode.Generation;
using KwaaiNet.ApiNode.Health;
using KwaaiNet.ApiNode.Models;
using KwaaiNet.ApiNode.Planning;
using KwaaiNet.ApiNode.Prefixes;
using KwaaiNet.ApiNode.Routes;
using KwaaiNet.ApiNode.Telemetry;
using KwaaiNet.ApiNode.Waiting;
using KwaaiNet.ApiNode.Warming;
using KwaaiNet.Protocol.Discovery;
using KwaaiNet.Protocol.Transport;
using KwaaiNet.ServiceDefaults;
using KwaaiNet.ServiceDefaults.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using Microsoft.Extensions.AI;
using Microsoft.Extensions.Configuration.Memory;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;

namespace KwaaiNet.ApiNode.Hosting;

/// <summary>Composes the API node.</summary>
internal static class ApiNodeHost
{
    /// <summary>A host as the program runs it.</summary>
    public static WebApplication Build(string[] args) => Build(args, null);

    /// <summary>A host with some of its parts replaced: what is registered first stays.</summary>
    public static WebApplication Build(string[] args, Action<WebApplicationBuilder>? replace)
    {
        WebApplicationBuilder builder = WebApplication.CreateBuilder(args);
        replace?.Invoke(builder);
        builder.AddApiNodeDefaults().AddNode().AddServiceDefaults().AddApiNode();
        return builder.Build().MapKwaaiNetEndpoints();
    }

    /// <summary>Puts the API node's own defaults below every other configuration source, and what its ports do before the node's ports.</summary>
    private static WebApplicationBuilder AddApiNodeDefaults(this WebApplicationBuilder builder)
    {
        ((IConfigurationBuilder)builder.Configuration).Sources.Insert(0, new MemoryConfigurationSource
        {
            InitialData = new Dictionary<string, string?>
            {
                [$"{NodeOptions.Section}:{nameof(NodeOptions.Name)}"] = "api",
                [$"{NodeOptions.Section}:{nameof(NodeOptions.HttpPort)}"] = ApiOptions.DefaultHttpPort.ToString(CultureInfo.InvariantCulture),
            },
        });
        builder.Services.AddHalfClosedConnections();
        // A token is sent by the thread that brings it: waking another for each costs more than the sending. What takes long in a request,
        // reading it and writing its prompt, is on a thread of the pool all the same: half-closed connections are read through a pipe of their own.
        builder.Services.Configure<SocketTransportOptions>(sockets => sockets.UnsafePreferInlineScheduling = true);
        return builder;
    }

    /// <summary>Registers models, planner, generation and the chat client. Services that are already there are kept.</summary>
    public static WebApplicationBuilder AddApiNode(this WebApplicationBuilder builder)
    {
        IServiceCollection services = builder.Services;
        services.AddOptions<ApiOptions>().BindConfiguration(ApiOptions.Section).ValidateOnStart();
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IValidateOptions<ApiOptions>, ApiOptionsValidator>());
        services.TryAddSingleton(TimeProvider.System);
        services.AddBrowserAccess();
        services.TryAddSingleton<ApiTelemetry>();
        if (services.All(service => service.ServiceType != typeof(IChatModelCatalog)))
        {
            services.AddSingleton<ChatModelCatalog>();
            services.AddSingleton<IChatModelCatalog>(provider => provider.GetRequiredService<ChatModelCatalog>());
            services.AddHostedService(provider => provider.GetRequiredService<ChatModelCatalog>());
        }

        if (services.All(service => service.ServiceType != typeof(INodeSnapshot)))
        {
            string discovery = $"{NodeOptions.Section}:{nameof(NodeOptions.Discovery)}";
            if (string.IsNullOrEmpty(builder.Configuration[discovery]))
            {
                throw new OptionsValidationException(
                    nameof(NodeOptions), typeof(NodeOptions),
                    [$"{discovery} is not set: an API node finds its shards there. Set it to the discovery service's https://host:port."]);
            }

            services.AddNodeDirectoryView();
            services.AddSingleton<INodeSnapshot, DirectorySnapshot>();
        }

        services.TryAddSingleton<NodeQuarantine>();
        services.TryAddSingleton<OwnSessions>();
        // Not from 0: API nodes that begin alike would all find the same of equal chains first.
        services.TryAddSingleton(_ => new PlanTurns(Random.Shared.Next()));
        services.TryAddSingleton<RoomLine>();
        services.TryAddSingleton<PrefillsUnderway>();
        services.TryAddSingleton(_ => new PageHolders());
        services.TryAddSingleton<ChainRouter>();
        services.TryAddSingleton<IShardDialer, NodeChannelDialer>();
        services.TryAddSingleton<ShardLinks>();
        services.TryAddSingleton<ChainServices>();
        services.TryAddSingleton<ChainWarmUp>();
        services.AddHostedService(provider => provider.GetRequiredService<ChainWarmUp>());
        services.TryAddSingleton<ShardChainChatClient>();
        if (services.All(service => service.ServiceType != typeof(IChatClient)))
        {
            services.AddChatClient(provider => provider.GetRequiredService<ShardChainChatClient>())
                .UseOpenTelemetry(sourceName: ApiTelemetry.ChatSource)
                .UseLogging();
        }

        // A typing mistake of a client is no error of this server: the routes log failures by what they are. The level keeps what people
        // wrote out of the log, as it is by default; naming a client's full category in Logging:LogLevel shows everything.
        services.Configure<LoggerFilterOptions>(filters => filters.Rules.Add(new LoggerFilterRule(
            null, "Microsoft.Extensions.AI", LogLevel.Information, (_, _, level) => level < LogLevel.Warning)));
        services.AddHealthChecks().AddCheck<DiscoveryHealthCheck>("discovery").AddCheck<ModelsHealthCheck>("models");
        return builder;
    }
}
