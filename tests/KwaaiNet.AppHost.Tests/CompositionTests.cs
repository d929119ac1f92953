using Aspire.Hosting.ApplicationModel;
using Aspire.Hosting.Testing;
using KwaaiNet.AppHost.Tests.Harness;

namespace KwaaiNet.AppHost.Tests;

/// <summary>What configuration makes of the composition, without starting it.</summary>
public sealed class CompositionTests
{
    private const string Embedded = "Discovery:Backend=embedded";

    [Theory]
    [InlineData("3", "1", 3)]
    [InlineData("2", "1", 2, "Shards=2")]
    [InlineData("2", "1", 2, "Parameters:shards=2")]
    [InlineData("2", "1", 2, "Parameters:shards=2", "Shards=7")]
    [InlineData("2", "3", 6, "Shards=2", "Replicas=3")]
    [InlineData("3", "2", 6, "Parameters:replicas=2")]
    public async Task Shards_and_replicas_come_from_configuration_and_are_shown_as_parameters(string shards, string replicas, int nodes, params string[] options)
    {
        await using IDistributedApplicationTestingBuilder builder = await RunningNetwork.BuildAsync([Embedded, .. options]);
        Assert.Equal(nodes, builder.Resources.Count(resource => resource.Name.StartsWith("shard-", StringComparison.Ordinal) && !IsSpare(resource)));
        Assert.Equal(shards, await ValueAsync(builder, "shards"));
        Assert.Equal(replicas, await ValueAsync(builder, "replicas"));
        Assert.All(builder.Resources.OfType<ParameterResource>(), parameter => Assert.False(string.IsNullOrEmpty(parameter.Description), parameter.Name));
    }

    [Theory]
    [InlineData("Shards=0")]
    [InlineData("Parameters:shards=many")]
    [InlineData("Parameters:replicas=-1")]
    [InlineData("Parameters:model=no-such-file.gguf")]
    [InlineData("Parameters:capture-content=perhaps")]
    public async Task A_wrong_value_ends_the_start(string option) =>
        await Assert.ThrowsAnyAsync<InvalidOperationException>(() => RunningNetwork.BuildAsync(Embedded, option));

    [Fact]
    public async Task Commands_say_that_they_are_for_development_and_ask_before_they_hurt()
    {
        await using IDistributedApplicationTestingBuilder builder = await RunningNetwork.BuildAsync(Embedded);
        ResourceCommandAnnotation[] commands =
        [
            .. Commands(builder, "shard-1").Where(command => command.Name is "kill" or "freeze" or "drain"),
            .. Commands(builder, "api").Where(command => command.Name is "add-shard"),
        ];
        Assert.Equal(["kill", "freeze", "drain", "add-shard"], commands.Select(command => command.Name));
        Assert.All(commands, command => Assert.Contains("development", command.DisplayDescription, StringComparison.OrdinalIgnoreCase));
        Assert.All(commands, command => Assert.False(string.IsNullOrEmpty(command.IconName), command.Name));
        Assert.All(commands[..3], command => Assert.Contains("shard-1", command.ConfirmationMessage, StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_configured_Redis_brings_no_container()
    {
        await using IDistributedApplicationTestingBuilder builder =
            await RunningNetwork.BuildAsync("Discovery:Backend=redis", "ConnectionStrings:registry=localhost:6379");
        Assert.DoesNotContain(builder.Resources, resource => resource is ContainerResource);
        Assert.Contains(builder.Resources, resource => resource.Name == "registry");
    }

    [Fact]
    public async Task The_volume_of_Redis_can_be_left_out()
    {
        await using IDistributedApplicationTestingBuilder builder = await RunningNetwork.BuildAsync("Discovery:Backend=redis", "Registry:Volume=none");
        Assert.Empty(builder.Resources.Single(resource => resource.Name == "registry").Annotations.OfType<ContainerMountAnnotation>());
        await using IDistributedApplicationTestingBuilder persistent = await RunningNetwork.BuildAsync("Discovery:Backend=redis");
        Assert.Single(persistent.Resources.Single(resource => resource.Name == "registry").Annotations.OfType<ContainerMountAnnotation>());
    }

    private static bool IsSpare(IResource resource) => resource.Annotations.OfType<ExplicitStartupAnnotation>().Any();

    private static IEnumerable<ResourceCommandAnnotation> Commands(IDistributedApplicationTestingBuilder builder, string resource) =>
        builder.Resources.Single(found => found.Name == resource).Annotations.OfType<ResourceCommandAnnotation>();

    private static async Task<string?> ValueAsync(IDistributedApplicationTestingBuilder builder, string parameter) =>
        await builder.Resources.OfType<ParameterResource>().Single(found => found.Name == parameter).GetValueAsync(TestContext.Current.CancellationToken);
}
