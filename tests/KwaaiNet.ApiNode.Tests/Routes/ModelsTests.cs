using KwaaiNet.ApiNode.Models;
using KwaaiNet.ApiNode.Tests.Fakes;
using KwaaiNet.CandelEngine.Sampling;

namespace KwaaiNet.ApiNode.Tests.Routes;

public sealed class ModelsTests
{
    private const string Entry =
        """{"id":"org/demo:1","object":"model","created":1700000000,"owned_by":"local","kwaainet":{"sharded":true,"trust_tier":"Unknown","shards":2,"blocks":6,"context_length":256,"weight_format":"Q8_0","weights_hash":"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"}}""";

    [Fact]
    public async Task The_list_has_the_quickstarts_shape()
    {
        await using ApiHost host = await StartAsync("0-2", "3-5");
        Assert.Equal($$"""{"data":[{{Entry}}],"object":"list"}""", await host.Client.GetStringAsync("/v1/models", TestContext.Current.CancellationToken));
    }

    [Theory]
    [InlineData("/v1/models/org/demo:1")]
    [InlineData("/v1/models/org%2Fdemo%3A1")]
    public async Task A_model_is_found_by_an_id_with_slashes_and_colons(string path)
    {
        await using ApiHost host = await StartAsync("0-2", "3-5");
        Assert.Equal(Entry, await host.Client.GetStringAsync(path, TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task What_a_models_makers_recommend_is_told()
    {
        FakeNetwork network = FakeNetwork.Of("0-5");
        ChatModel model = FakeCatalog.Model() with { RecommendedSampling = new RecommendedSampling { Temperature = 0.7f, TopK = 20, RepetitionPenalty = 1.05f, RepeatLastN = 64 } };
        await using ApiHost host = await ApiHost.StartAsync(network, model: model);
        Assert.Contains(
            "\"sampling\":{\"temperature\":0.7,\"top_k\":20,\"repetition_penalty\":1.05,\"repeat_last_n\":64}}}",
            await host.Client.GetStringAsync("/v1/models/demo", TestContext.Current.CancellationToken), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_model_that_no_chain_covers_is_not_listed()
    {
        await using ApiHost host = await StartAsync("0-2", "4-5");
        Assert.Equal("""{"data":[],"object":"list"}""", await host.Client.GetStringAsync("/v1/models", TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task Health_tells_which_blocks_are_missing()
    {
        await using ApiHost host = await StartAsync("0-2", "4-5");
        Assert.Equal(
            """{"status":"Healthy","discovery":true,"nodes":2,"models":[{"id":"org/demo:1","ready":false,"reason":"BlocksMissing: blocks 3-3"}]}""",
            await host.Client.GetStringAsync("/health", TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task Health_needs_discovery_and_alive_does_not()
    {
        FakeNetwork network = FakeNetwork.Of("0-5");
        network.IsAvailable = false;
        await using ApiHost host = await ApiHost.StartAsync(network);
        using HttpResponseMessage health = await host.Client.GetAsync(new Uri("/health", UriKind.Relative), TestContext.Current.CancellationToken);
        using HttpResponseMessage alive = await host.Client.GetAsync(new Uri("/alive", UriKind.Relative), TestContext.Current.CancellationToken);
        Assert.Equal((503, 200), ((int)health.StatusCode, (int)alive.StatusCode));
    }

    [Fact]
    public async Task The_page_names_the_model_and_a_command()
    {
        await using ApiHost host = await StartAsync("0-2", "3-5");
        string page = await host.Client.GetStringAsync("/", TestContext.Current.CancellationToken);
        Assert.Contains("org/demo:1", page, StringComparison.Ordinal);
        Assert.Contains("curl http://localhost/v1/chat/completions", page, StringComparison.Ordinal);
        Assert.DoesNotContain("src=", page, StringComparison.Ordinal);
    }

    private static Task<ApiHost> StartAsync(params string[] ranges)
    {
        FakeNetwork network = new() { Model = "org/demo:1" };
        foreach (string range in ranges)
        {
            network.Add(range, range);
        }

        return ApiHost.StartAsync(network, model: FakeCatalog.Model("org/demo:1"));
    }
}
