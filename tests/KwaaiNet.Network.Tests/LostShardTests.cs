using System.Diagnostics;
using System.Net;
using System.Text.Json;
using KwaaiNet.Cli.Network;
using KwaaiNet.Network.Tests.Harness;

namespace KwaaiNet.Network.Tests;

/// <summary>A shard that nobody can replace goes away and nobody starts it again: an error and no hang; it comes back: all is well with nothing else touched.</summary>
public sealed class LostShardTests : IAsyncLifetime
{
    // The bound the product promises.
    private static readonly TimeSpan s_errorLimit = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(30);
    private TestNetwork _network = null!;

    public async ValueTask InitializeAsync() => _network = await TestNetwork.StartAsync(3, TestModels.Endless, restart: false);

    public ValueTask DisposeAsync() => _network.DisposeAsync();

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    public async Task Killed_in_the_middle_of_an_answer(int position)
    {
        string lost = (await ShardsInOrderAsync())[position];
        Dictionary<string, int> processes = _network.Shards.Append(NetworkPlan.ApiName).Append(NetworkPlan.DiscoveryName)
            .ToDictionary(node => node, node => _network.FileOf(node).Pid);
        await using ChatCall.EventStream stream = await _network.StreamAsync("Hello!", 15_000);
        await stream.FirstTextAsync();

        long start = Stopwatch.GetTimestamp();
        await _network.KillAsync(lost);
        (_, JsonElement? error, _) = await stream.RestAsync();
        TimeSpan elapsed = Stopwatch.GetElapsedTime(start);

        Assert.NotNull(error);
        Assert.NotEmpty(error.Value.GetProperty("message").GetString()!);
        Assert.True(elapsed < s_errorLimit, $"the error took {elapsed.TotalSeconds:0.0} s");
        foreach (string shard in _network.Shards.Where(shard => shard != lost))
        {
            await TestNetwork.UntilAsync(async () => await _network.KvUsedAsync(shard) == 0, s_patience, $"{shard} has released its KV");
        }

        await BringBackAsync(lost);
        foreach ((string node, int pid) in processes.Where(entry => entry.Key != lost))
        {
            Assert.Equal(pid, _network.FileOf(node).Pid);
            Assert.False(_network.Supervisor.Node(node).Exit.IsCompleted);
        }
    }

    [Fact]
    public async Task Killed_while_nobody_asks()
    {
        string lost = _network.Shards[1];
        await _network.KillAsync(lost);

        long start = Stopwatch.GetTimestamp();
        (HttpStatusCode status, JsonElement json) = await _network.PostAsync(ChatCall.Body(_network.Model, "Hello!", 5));
        TimeSpan elapsed = Stopwatch.GetElapsedTime(start);

        Assert.True((int)status >= 500, json.ToString());
        Assert.NotEmpty(json.GetProperty("error").GetProperty("message").GetString()!);
        Assert.True(elapsed < s_errorLimit, $"the error took {elapsed.TotalSeconds:0.0} s");
        await BringBackAsync(lost);
    }

    [Fact]
    public async Task A_killed_shard_leaves_the_map_within_its_ttl_and_a_stopped_one_at_once()
    {
        string killed = _network.Shards[0];
        string killedId = _network.FileOf(killed).NodeId;
        await TestNetwork.UntilAsync(async () => (await _network.MapAsync()).Contains(killedId), s_patience, $"{killed} is on the map");
        await _network.KillAsync(killed);
        TimeSpan gone = await TestNetwork.UntilAsync(async () => !(await _network.MapAsync()).Contains(killedId), s_patience, $"{killed} is off the map");
        // Two seconds for the map's own watch and a busy machine.
        Assert.True(gone < TestNetwork.Ttl + TimeSpan.FromSeconds(2), $"{killed} left the map after {gone.TotalSeconds:0.0} s");

        string stopped = _network.Shards[1];
        string stoppedId = _network.FileOf(stopped).NodeId;
        await _network.Supervisor.Node(stopped).StopAsync(s_patience, TestContext.Current.CancellationToken);
        Assert.Equal(0, await _network.Supervisor.Node(stopped).Exit);
        // The tombstone was written before the process ended: the map has only to hear of it, and waits for no ttl.
        TimeSpan left = await TestNetwork.UntilAsync(async () => !(await _network.MapAsync()).Contains(stoppedId), s_patience, $"{stopped} is off the map");
        Assert.True(left < TimeSpan.FromSeconds(1), $"{stopped} left the map after {left.TotalSeconds:0.0} s");
    }

    [Fact]
    public async Task Discovery_is_killed_and_started_again()
    {
        Dictionary<string, int> processes = _network.Shards.Append(NetworkPlan.ApiName).ToDictionary(node => node, node => _network.FileOf(node).Pid);
        await _network.KillAsync(NetworkPlan.DiscoveryName);
        await _network.Supervisor.RestartAsync(NetworkPlan.DiscoveryName, TestContext.Current.CancellationToken).WaitAsync(s_patience, TestContext.Current.CancellationToken);
        string[] shardIds = [.. _network.Shards.Select(shard => _network.FileOf(shard).NodeId)];
        await TestNetwork.UntilAsync(async () => !shardIds.Except(await _network.MapAsync()).Any(), s_patience, "every shard is on the map again");
        await TestNetwork.UntilAsync(_network.IsServedAsync, s_patience, "the model is listed again");
        Assert.NotEmpty(await _network.AnswerAsync("Hello!", 10));
        Assert.All(processes, entry => Assert.Equal(entry.Value, _network.FileOf(entry.Key).Pid));
    }

    private async Task<string[]> ShardsInOrderAsync()
    {
        List<(string Shard, string Blocks)> shards = [];
        foreach (string shard in _network.Shards)
        {
            shards.Add((shard, (await _network.GetAsync(shard, "/status")).GetProperty("blocks").GetString()!));
        }

        return [.. shards.OrderBy(entry => entry.Blocks, StringComparer.Ordinal).Select(entry => entry.Shard)];
    }

    private async Task BringBackAsync(string shard)
    {
        await _network.Supervisor.RestartAsync(shard, TestContext.Current.CancellationToken).WaitAsync(s_patience, TestContext.Current.CancellationToken);
        await TestNetwork.UntilAsync(
            async () => (await _network.PostAsync(ChatCall.Body(_network.Model, "Hello!", 5))).Status == HttpStatusCode.OK,
            s_patience,
            "the model can be used again");
    }
}
