using KwaaiNet.AppHost.Settings;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;

namespace KwaaiNet.AppHost.Registry;

/// <summary>Where the discovery service keeps its records when that is a Redis.</summary>
internal static class RegistryResources
{
    /// <summary>The volume's name: <c>none</c> keeps nothing; left out, Aspire names it after this AppHost.</summary>
    private const string VolumeKey = "Registry:Volume";
    private const string NoVolume = "none";
    private const string DataFolder = "/data";

    /// <summary>Adds Redis under discovery, and its data under Redis. A connection string that is configured means the Redis that runs already: then nothing is started.</summary>
    public static void AddRegistry(this IDistributedApplicationBuilder builder, IResourceBuilder<ProjectResource> discovery)
    {
        if (builder.Configuration.GetConnectionString(ResourceNames.Registry) is not null)
        {
            IResourceBuilder<IResourceWithConnectionString> running = builder.AddConnectionString(ResourceNames.Registry);
            discovery.WithReference(running).WaitFor(running);
            return;
        }

        IResourceBuilder<RedisResource> redis = builder.AddRedis(ResourceNames.Registry).WithParentRelationship(discovery);
        discovery.WithReference(redis).WaitFor(redis);
        string? volume = builder.Configuration[VolumeKey];
        if (volume == NoVolume) return;

        // The password may be another one at every start: Redis has it from its command line, and no data is bound to it.
        redis.WithDataVolume(volume);
        ContainerMountAnnotation mount = redis.Resource.Annotations.OfType<ContainerMountAnnotation>().Single(mount => mount.Target == DataFolder);
        if (builder.ExecutionContext.IsRunMode) builder.AddData(redis, mount.Source ?? "");
    }

    private static void AddData(this IDistributedApplicationBuilder builder, IResourceBuilder<RedisResource> redis, string volume)
    {
        IResourceBuilder<RegistryDataResource> data = builder.AddResource(new RegistryDataResource(ResourceNames.Registry + "-data"))
            .WithParentRelationship(redis)
            .WithIconName("HardDrive")
            .ExcludeFromManifest()
            .WithInitialState(new CustomResourceSnapshot
            {
                ResourceType = "Volume",
                State = KnownResourceStates.Waiting,
                Properties =
                [
                    new("kwaainet.volume", volume) { DisplayName = "Volume", IsHighlighted = true, SortOrder = 0 },
                    new("kwaainet.mount", DataFolder) { DisplayName = "Mounted at", IsHighlighted = true, SortOrder = 1 },
                ],
            });
        builder.Eventing.Subscribe<ResourceReadyEvent>(redis.Resource, (ready, _) => Publish(ready.Services, KnownResourceStates.Active));
        builder.Eventing.Subscribe<ResourceStoppedEvent>(redis.Resource, (stopped, _) => Publish(stopped.Services, KnownResourceStates.Waiting));

        Task Publish(IServiceProvider services, string state) => services.GetRequiredService<ResourceNotificationService>()
            .PublishUpdateAsync(data.Resource, snapshot => snapshot with { State = state });
    }
}
