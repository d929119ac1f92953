using KwaaiNet.ApiNode.Tests.Fakes;
using KwaaiNet.Protocol.Wire;

namespace KwaaiNet.ApiNode.Tests.Routes;

/// <summary><c>/health</c> is for whoever waits until the API can be used.</summary>
public sealed class HealthTests
{
    [Fact]
    public async Task Health_is_200_when_every_block_is_served()
    {
        await using ApiHost host = await ApiHost.StartAsync(FakeNetwork.Of("0-2", "3-5"));
        Assert.Equal((200, """{"status":"Healthy","discovery":true,"nodes":2,"models":[{"id":"demo","ready":true,"reason":null}]}"""), await GetAsync(host, "/health"));
    }

    [Fact]
    public async Task Health_is_503_and_tells_which_blocks_are_missing_and_alive_stays_200()
    {
        await using ApiHost host = await ApiHost.StartAsync(FakeNetwork.Of("0-2", "4-5"));
        Assert.Equal(
            (503, """{"status":"Unhealthy","discovery":true,"nodes":2,"models":[{"id":"demo","ready":false,"reason":"BlocksMissing: blocks 3-3"}]}"""),
            await GetAsync(host, "/health"));
        Assert.Equal(200, (await GetAsync(host, "/alive")).Status);
    }

    [Fact]
    public async Task Health_tells_which_blocks_are_being_loaded()
    {
        FakeNetwork network = FakeNetwork.Of("0-2", "3-5");
        network.Shards["b"].Announce = record =>
        {
            record.Serving[0].State = ServingState.Joining;
            return record;
        };
        await using ApiHost host = await ApiHost.StartAsync(network);
        Assert.Contains("\"BlocksMissing: blocks 3-5 (nodes are loading 3-5)\"", (await GetAsync(host, "/health")).Body, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Health_needs_every_configured_model_also_one_whose_file_is_not_open()
    {
        FakeCatalog catalog = new(FakeCatalog.Model(), FakeCatalog.Model("other")) { Closed = new Dictionary<string, string> { ["third"] = "its file is still being read" } };
        await using ApiHost host = await ApiHost.StartAsync(FakeNetwork.Of("0-5"), catalog: catalog);
        Assert.Equal(
            (503, """{"status":"Unhealthy","discovery":true,"nodes":1,"models":[{"id":"demo","ready":true,"reason":null},{"id":"other","ready":false,"reason":"NotServed: blocks 0-5"},{"id":"third","ready":false,"reason":"its file is still being read"}]}"""),
            await GetAsync(host, "/health"));
    }

    [Fact]
    public async Task Health_is_200_when_every_block_is_served_by_nodes_that_are_full()
    {
        FakeNetwork network = FakeNetwork.Of("0-5");
        network.KvFreeBytes = 0;
        await using ApiHost host = await ApiHost.StartAsync(network);
        Assert.Equal(200, (await GetAsync(host, "/health")).Status);
    }

    [Fact]
    public async Task Health_and_503_name_what_is_wrong_with_discovery_and_nodes_that_run_go_on_being_used()
    {
        FakeNetwork network = FakeNetwork.Of("0-5");
        network.Trouble = "Redis is full (OOM command not allowed).";
        await using ApiHost host = await ApiHost.StartAsync(network);
        Assert.Equal(
            (503, """{"status":"Unhealthy","discovery":false,"discovery_reason":"Redis is full (OOM command not allowed).","nodes":1,"models":[{"id":"demo","ready":true,"reason":null}]}"""),
            await GetAsync(host, "/health"));
        Assert.Equal(200, (await GetAsync(host, "/alive")).Status);

        const string Ask = """{"model":"demo","messages":[{"role":"user","content":"Hi"}]}""";
        Assert.Equal(200, (await host.AskAsync(Ask)).Status);
        network.Shards.Clear();
        (int status, System.Text.Json.JsonElement reply) = await host.AskAsync(Ask);
        Assert.Equal(503, status);
        Assert.Contains("Redis is full (OOM command not allowed).", reply.GetProperty("error").GetProperty("message").GetString(), StringComparison.Ordinal);
    }

    private static async Task<(int Status, string Body)> GetAsync(ApiHost host, string path)
    {
        using HttpResponseMessage response = await host.SendAsync("GET", path);
        return ((int)response.StatusCode, await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
    }
}
