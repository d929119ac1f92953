using System.Text.Json;
using KwaaiNet.ApiNode.Models;
using KwaaiNet.ApiNode.Tests.Fakes;
using KwaaiNet.CandelEngine.Sampling;

namespace KwaaiNet.ApiNode.Tests.Routes;

public sealed class ModelsTests
{
    private const string Entry =
        """{"id":"org/demo:1","object":"model","created":1700000000,"owned_by":"local","kwaainet":{"sharded":true,"trust_tier":"Unknown","shards":2,"blocks":6,"context_length":256,"weight_format":"Q8_0","weights_hash":"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa","replicas":1,"coverage":[{"first_block":0,"end_block":6,"nodes":1}]}}""";

    [Fact]
    public async Task The_list_has_the_quickstarts_shape()
    {
        await using ApiHost host = await StartAsync("0-2", "3-5");
        Assert.Equal($$"""{"data":[{{Entry}}],"object":"list"}""", await host.Client.GetStringAsync("/v1/models", TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task How_many_nodes_hold_each_block_is_told()
    {
        await using ApiHost host = await StartAsync("0-2", "3-5", "3-5", "4-5");
        Assert.Contains(
            "\"replicas\":1,\"coverage\":[{\"first_block\":0,\"end_block\":3,\"nodes\":1},{\"first_block\":3,\"end_block\":4,\"nodes\":2},{\"first_block\":4,\"end_block\":6,\"nodes\":3}]",
            await host.Client.GetStringAsync("/v1/models/org/demo:1", TestContext.Current.CancellationToken), StringComparison.Ordinal);
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

    [Theory]
    [InlineData("/")]
    [InlineData("/v1/models")]
    [InlineData("/v1/models/org/demo:1")]
    [InlineData("/health")]
    [InlineData("/alive")]
    public async Task HEAD_is_answered_wherever_GET_is(string path)
    {
        await using ApiHost host = await StartAsync("0-2", "3-5");
        using HttpResponseMessage response = await host.SendAsync("HEAD", path);
        Assert.Equal(200, (int)response.StatusCode);
    }

    [Theory]
    [InlineData("kwaai-demo", "KWAAI-demo")]
    [InlineData("kwaai-demo", "kwaai-demo:latest")]
    [InlineData("kwaai-demo", "Kwaai-Demo:LATEST")]
    [InlineData("kwaai-demo:latest", "kwaai-demo")]
    [InlineData("org/demo:1", "Org/Demo:1")]
    public async Task A_name_is_found_as_people_write_it_and_answered_with_its_own(string id, string asked)
    {
        FakeNetwork network = new() { Model = id };
        network.Add("a", "0-5");
        await using ApiHost host = await ApiHost.StartAsync(network, model: FakeCatalog.Model(id));
        foreach (string path in (string[])[$"/v1/models/{asked}", $"/v1/models/{asked}/"])
        {
            Assert.StartsWith($$"""{"id":"{{id}}",""", await host.Client.GetStringAsync(path, TestContext.Current.CancellationToken), StringComparison.Ordinal);
        }

        (int status, JsonElement reply) = await host.AskAsync($$"""{"model":"{{asked}}","messages":[{"role":"user","content":"Hi"}]}""");
        Assert.Equal((200, id), (status, reply.GetProperty("model").GetString()));
        Assert.Equal(id, Assert.Single(network.Shards["a"].Openings).Model);
    }

    [Theory]
    [InlineData("Demo", "Demo")]
    [InlineData("DEMO", "demo")]
    [InlineData("demo:latest", "demo:latest")]
    [InlineData("demo:1", null)]
    [InlineData("dem", null)]
    [InlineData("", null)]
    public void The_name_as_it_is_written_comes_first(string asked, string? found) =>
        Assert.Equal(found, ModelNames.Find(["demo", "Demo", "demo:latest"], asked));

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
            network.Add($"{network.Shards.Count}", range);
        }

        return ApiHost.StartAsync(network, model: FakeCatalog.Model("org/demo:1"));
    }
}
