using KwaaiNet.ApiNode.Tests.Fakes;
using KwaaiNet.Protocol.Wire;

namespace KwaaiNet.ApiNode.Tests.Generation;

/// <summary>Answers that nobody reads, before the first request.</summary>
public sealed class ChainWarmUpTests
{
    [Fact]
    public async Task Every_shard_is_run_through_before_the_node_is_healthy()
    {
        FakeNetwork network = FakeNetwork.Of("0-2", "3-5", "0-2", "3-5");
        TaskCompletionSource turn = new();
        network.Shards["b"].Turn = turn.Task;
        await using ApiHost host = await ApiHost.StartAsync(network, options: api => api.WarmUp = true);
        await network.Shards["b"].WaitForAsync("asked");

        Assert.Equal((503, "its shards are being warmed up"), await HealthAsync(host));
        turn.SetResult();
        foreach (FakeShard shard in network.Shards.Values)
        {
            for (int answer = 0; answer < 3; answer++) await shard.WaitForAsync("close");
        }

        Assert.Equal((200, null), await HealthyAsync(host));
        // Each once: nothing has started again, so nothing is new.
        network.Announce();
        Assert.All(network.Shards.Values, shard => Assert.Equal(3, shard.Openings.Count));
        // No whole page, so no place in anybody's cache.
        Assert.All(network.Shards.Values, shard => Assert.Empty(shard.Held));
    }

    [Theory]
    [InlineData(FailureCode.KvExhausted)]
    [InlineData(FailureCode.ComputeFailed)]
    public async Task Shards_that_cannot_be_warmed_do_not_keep_the_node_from_being_used(FailureCode failure)
    {
        FakeNetwork network = FakeNetwork.Of("0-5");
        network.Shards["a"].RefuseOpen = failure;
        await using ApiHost host = await ApiHost.StartAsync(network, options: api => api.WarmUp = true);
        await network.Shards["a"].WaitForAsync("open");

        Assert.Equal((200, null), await HealthyAsync(host));
    }

    // What ends the warm-up comes behind the last thing that shards hear of it.
    private static async Task<(int Status, string? Reason)> HealthyAsync(ApiHost host)
    {
        (int Status, string? Reason) health;
        int look = 0;
        do health = await HealthAsync(host);
        while (health.Status != 200 && ++look < 10_000);
        return health;
    }

    private static async Task<(int Status, string? Reason)> HealthAsync(ApiHost host)
    {
        using HttpResponseMessage response = await host.Client.GetAsync(new Uri("/health", UriKind.Relative), TestContext.Current.CancellationToken);
        System.Text.Json.JsonElement body = System.Text.Json.JsonElement.Parse(await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
        return ((int)response.StatusCode, body.GetProperty("models")[0].GetProperty("reason").GetString());
    }
}
