using System.Globalization;
using KwaaiNet.AppHost.Commands;
using KwaaiNet.AppHost.Processes;
using KwaaiNet.AppHost.Settings;
using KwaaiNet.AppHost.Shards;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;

namespace KwaaiNet.AppHost.Composition;

/// <summary>The shard nodes: those that start with the network, and spare ones for the Add shard command.</summary>
internal static class ShardResources
{
    private const int Spares = 3;

    /// <summary>Adds <see cref="NetworkParameters.Nodes"/> shards, and what a developer does with them to the API resource.</summary>
    public static void AddShards(
        this IDistributedApplicationBuilder builder, NetworkParameters network, IResourceBuilder<ProjectResource> discovery, IResourceBuilder<ProjectResource> api)
    {
        for (int number = 1; number <= network.Nodes; number++) api.WithReferenceRelationship(builder.AddShard(ResourceNames.Shard(number), network, discovery));

        if (!builder.ExecutionContext.IsRunMode) return;

        builder.Services.TryAddSingleton(TimeProvider.System);
        builder.Services.AddSingleton<ShardClient>();
        builder.Services.AddSingleton<ShardBoard>();
        builder.Services.AddHostedService<ShardWatch>();
        if (!builder.Environment.IsDevelopment()) return;

        builder.Services.AddSingleton<FrozenProcesses>();
        IEnumerable<int> spare = Enumerable.Range(network.Nodes + 1, Spares);
        api.WithAddShardCommand([.. spare.Select(number => builder.AddShard(ResourceNames.Shard(number), network, discovery).WithExplicitStart().Resource)]);
    }

    // Named resources and not Aspire's replicas: each shard serves blocks of its own, and is killed, stopped and started by its own name.
    private static IResourceBuilder<ProjectResource> AddShard(
        this IDistributedApplicationBuilder builder, string name, NetworkParameters network, IResourceBuilder<ProjectResource> discovery)
    {
        EndpointReference map = discovery.GetEndpoint(ResourceNames.Http);
        IResourceBuilder<ProjectResource> shard = builder.AddProject<Projects.KwaaiNet_ShardNode>(name, launchProfileName: null)
            .WithEnvironment("Node__Name", name)
            .WithEnvironment("Node__Discovery", discovery.GetEndpoint(ResourceNames.Grpc))
            // Found through discovery, never through Aspire: the system may choose the port, and no proxy stands between two nodes.
            .WithEnvironment("Node__GrpcPort", "0")
            .WithEnvironment("Shard__Model", network.ModelName)
            .WithEnvironment("Shard__ModelPath", network.ModelPath)
            .WithEnvironment("Shard__ExpectedShards", network.Shards.ToString(CultureInfo.InvariantCulture))
            .WithHttpEndpoint(env: "Node__HttpPort", name: ResourceNames.Http)
            .WithHttpHealthCheck(ResourceNames.Health, endpointName: ResourceNames.Http)
            .WithUrlForEndpoint(ResourceNames.Http, url =>
            {
                url.Url = "/status";
                url.DisplayText = "Status";
            })
            .WithUrl(ReferenceExpression.Create($"{map}/network"), "Map")
            .WithIconName("Server")
            .WithReference(discovery)
            .WaitFor(discovery);
        return builder.ExecutionContext.IsRunMode && builder.Environment.IsDevelopment()
            ? shard.WithEnvironment("Shard__Controls", "true").WithShardCommands()
            : shard;
    }
}
