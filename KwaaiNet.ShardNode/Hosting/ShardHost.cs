using KwaaiNet.ModelStore;
using KwaaiNet.ServiceDefaults;
using KwaaiNet.ServiceDefaults.Hosting;
using KwaaiNet.ShardNode.Announcing;
using KwaaiNet.ShardNode.Configuration;
using KwaaiNet.ShardNode.Lifecycle;
using KwaaiNet.ShardNode.Loading;
using KwaaiNet.ShardNode.Rpc;
using KwaaiNet.ShardNode.Serving;
using KwaaiNet.ShardNode.Telemetry;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;

namespace KwaaiNet.ShardNode.Hosting;

/// <summary>Composes a shard node.</summary>
internal static class ShardHost
{
    /// <summary>A host as the program runs it.</summary>
    public static WebApplication Build(string[] args) => Build(args, null);

    /// <summary>A host with some of its parts replaced: what is registered first stays.</summary>
    public static WebApplication Build(string[] args, Action<WebApplicationBuilder>? replace)
    {
        WebApplicationBuilder builder = WebApplication.CreateBuilder(args);
        replace?.Invoke(builder);
        builder.AddServiceDefaults();
        builder.AddNode();
        builder.AddShard();
        WebApplication app = builder.Build();
        app.MapDefaultEndpoints();
        app.MapGrpcService<ShardService>();
        ShardStatusEndpoint.Map(app);
        DrainEndpoint.Map(app);
        return app;
    }

    private static void AddShard(this WebApplicationBuilder builder)
    {
        IServiceCollection services = builder.Services;
        services.AddOptions<ShardOptions>().BindConfiguration(ShardOptions.Section).ValidateOnStart();
        services.AddSingleton<IValidateOptions<ShardOptions>, ShardOptionsAnnotations>();
        services.AddSingleton<IValidateOptions<ShardOptions>, ShardOptionsRules>();
        services.AddOptions<ModelStoreOptions>().BindConfiguration(ModelStoreOptions.Section).PostConfigure(store => store.UseHubVariables()).ValidateOnStart();
        services.AddSingleton<IValidateOptions<ModelStoreOptions>, ModelStoreOptionsValidator>();
        services.AddSingleton<LocalModelFile>();
        services.AddSingleton<PulledModelFiles>();
        services.AddSingleton<IModelFiles>(provider => provider.GetRequiredService<IOptions<ShardOptions>>().Value.ModelPath.Length > 0
            ? provider.GetRequiredService<LocalModelFile>()
            : provider.GetRequiredService<PulledModelFiles>());
        services.TryAddSingleton<IBlockSource, ModelBlockSource>();
        services.AddSingleton<ShardTelemetry>();
        services.AddSingleton<PullProgress>();
        services.AddSingleton<ShardServing>();
        services.AddSingleton<ShardAnnouncer>();
        services.AddHostedService(provider => provider.GetRequiredService<ShardAnnouncer>());
        services.AddSingleton<LastPlacement>();
        services.AddHostedService<ShardRuntime>();
        services.AddHealthChecks().AddCheck<ShardHealthCheck>("blocks");
    }
}
