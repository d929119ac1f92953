using System.Net;
using KwaaiNet.Cli.Network;
using KwaaiNet.Cli.Processes;
using KwaaiNet.Network.Tests.Harness;

namespace KwaaiNet.Network.Tests;

/// <summary>A node that nobody can replace dies: it is started again, and the network serves without a command.</summary>
public sealed class RestartedNodeTests : IAsyncLifetime
{
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(60);
    private TestNetwork _network = null!;

    public async ValueTask InitializeAsync() => _network = await TestNetwork.StartAsync(2, TestModels.Endless);

    public ValueTask DisposeAsync() => _network.DisposeAsync();

    [Fact]
    public async Task The_only_holder_of_a_range_the_API_node_and_discovery_are_killed_and_the_network_serves_again_by_itself()
    {
        foreach (string node in new[] { "shard-1", NetworkPlan.ApiName, NetworkPlan.DiscoveryName })
        {
            (string? grpc, string? http, string id, int pid) = Identity(node);
            await _network.KillAsync(node);
            await _network.RestartedAsync(node, pid, s_patience);
            await TestNetwork.UntilAsync(
                async () => (await _network.PostAsync(ChatCall.Body(_network.Model, "Hello!", 5))).Status == HttpStatusCode.OK, s_patience, $"the model can be used again after {node}");
            Assert.Equal((grpc, http, id), (_network.FileOf(node).Grpc, _network.FileOf(node).Http, _network.FileOf(node).NodeId));
            Assert.Equal(1, _network.StateOf(node).Restarts);
            Assert.Contains("exit code", _network.StateOf(node).LastEnd, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task A_node_that_somebody_stopped_on_purpose_is_left_and_that_is_said()
    {
        NodeProcess stopped = _network.Supervisor.Node("shard-2");
        await stopped.StopAsync(s_patience, TestContext.Current.CancellationToken);
        Assert.SkipUnless(await stopped.Exit == 0, "The system ended the process, and did not ask it.");
        await TestNetwork.UntilAsync(() => Task.FromResult(_network.StateOf("shard-2").WhyStopped is not null), s_patience, "the end is noted");
        Assert.Equal("it was stopped on purpose", _network.StateOf("shard-2").WhyStopped);
        NetworkReport report = await NetworkReporter.LookAsync(
            _network.Home, Cli.State.NetworkStateFile.Read(_network.Home)!, TestContext.Current.CancellationToken);
        Assert.Equal("stopped", report.Nodes.Single(node => node.Name == "shard-2").State);
        Assert.Same(stopped, _network.Supervisor.Node("shard-2"));
    }

    private (string? Grpc, string? Http, string Id, int Pid) Identity(string node)
    {
        Cli.State.NodeFile file = _network.FileOf(node);
        return (file.Grpc, file.Http, file.NodeId, file.Pid);
    }
}
