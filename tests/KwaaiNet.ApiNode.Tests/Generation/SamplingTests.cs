using System.Text.Json;
using KwaaiNet.ApiNode.Models;
using KwaaiNet.ApiNode.Tests.Fakes;
using KwaaiNet.CandelEngine.Sampling;
using KwaaiNet.Protocol.Wire;
using Microsoft.Extensions.AI;

namespace KwaaiNet.ApiNode.Tests.Generation;

/// <summary>What a last shard is told of sampling, from the request's parameters and from programs' chat options.</summary>
public sealed class SamplingTests
{
    // BOS, "user:Hi;".
    private const string Body = "\"model\":\"demo\",\"messages\":[{\"role\":\"user\",\"content\":\"Hi\"}]";
    private const int PromptTokens = 9;

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_request_of_the_first_four_parameters_is_one_that_older_shards_understand()
    {
        OpenSession open = await OpeningAsync("{#,\"temperature\":0.5,\"top_k\":40,\"top_p\":0.9,\"seed\":7,\"presence_penalty\":0,\"logprobs\":false,\"min_p\":0}");
        Assert.Equal(1u, open.ProtocolVersion);
        Assert.Equal(new Sampling { Temperature = 0.5f, TopK = 40, TopP = 0.9f, Seed = 7 }, open.Sampling);
    }

    [Fact]
    public async Task Every_parameter_reaches_the_last_shard_and_nobody_else()
    {
        FakeNetwork network = FakeNetwork.Of("0-2", "3-5");
        OpenSession open = await OpeningAsync(
            "{#,\"temperature\":0.5,\"min_p\":0.05,\"typical_p\":0.9,\"repetition_penalty\":1.1,\"repeat_last_n\":3,\"presence_penalty\":0.5,\"frequency_penalty\":-0.5,\"logit_bias\":{\"9\":-100,\"7\":2.5},\"logprobs\":true,\"top_logprobs\":3,\"seed\":7}",
            network);
        Assert.Equal(2u, open.ProtocolVersion);
        Assert.Equal(
            new Sampling
            {
                Temperature = 0.5f,
                TopP = 1,
                MinP = 0.05f,
                TypicalP = 0.9f,
                RepetitionPenalty = 1.1f,
                RepeatLastN = 3,
                PresencePenalty = 0.5f,
                FrequencyPenalty = -0.5f,
                LogitBias = { new Protocol.Wire.TokenBias { Token = 7, Bias = 2.5f }, new Protocol.Wire.TokenBias { Token = 9, Bias = -100 } },
                TopLogprobs = 3,
                Seed = 7,
                History = new Protocol.Wire.PriorTokens { Position = PromptTokens - 3, Tokens = Ids('H', 'i', ';') },
            },
            open.Sampling);
        OpenSession first = Assert.Single(network.Shards["a"].Openings);
        Assert.Equal((1u, null), (first.ProtocolVersion, first.Sampling));
    }

    [Theory]
    [InlineData("\"repetition_penalty\":1.1", -1, PromptTokens)]
    [InlineData("\"repeat_penalty\":1.1", 64, PromptTokens)]
    [InlineData("\"repeat_penalty\":1.1,\"repeat_last_n\":2", 2, 2)]
    [InlineData("\"presence_penalty\":1", 0, 0)]
    public async Task A_last_shard_learns_no_more_of_the_prompt_than_its_penalties_need(string parameters, int lastN, int tokens)
    {
        OpenSession open = await OpeningAsync($"{{#,{parameters}}}");
        Assert.Equal((lastN, tokens * 4), (open.Sampling.RepeatLastN, open.Sampling.History.Tokens.Length));
        Assert.Equal((uint)(PromptTokens - tokens), open.Sampling.History.Position);
    }

    [Fact]
    public async Task Programs_options_say_the_same_in_whatever_kind_of_number()
    {
        FakeNetwork network = FakeNetwork.Of("0-5");
        await using ApiHost host = await ApiHost.StartAsync(network);
        ChatOptions options = new()
        {
            ModelId = "demo",
            Temperature = 0,
            FrequencyPenalty = 0.5f,
            PresencePenalty = -0.5f,
            TopK = 9,
            Seed = 3,
            AdditionalProperties = new()
            {
                ["min_p"] = 0.25f,
                ["typical_p"] = 0.5,
                ["repeat_penalty"] = 2,
                ["repeat_last_n"] = 5L,
                ["logprobs"] = JsonElement.Parse("true"),
                ["top_logprobs"] = JsonElement.Parse("2"),
                ["logit_bias"] = new Dictionary<int, float> { [1] = 1 },
            },
        };

        ChatResponse response = await host.Chat.GetResponseAsync("Hi", options, Cancelled);

        Sampling sampling = Assert.Single(network.Shards["a"].Openings).Sampling;
        Assert.Equal(
            (0.25f, 0.5f, 2f, 5, 2u, 0.5f, -0.5f, 9u, 3ul),
            (sampling.MinP, sampling.TypicalP, sampling.RepetitionPenalty, sampling.RepeatLastN, sampling.TopLogprobs, sampling.FrequencyPenalty, sampling.PresencePenalty, sampling.TopK, sampling.Seed));
        Assert.Equal(21, Assert.IsType<IReadOnlyCollection<KwaaiNet.ApiNode.OpenAIJson.LogprobContent>>(response.AdditionalProperties!["logprobs"], exactMatch: false).Count);
    }

    [Fact]
    public async Task What_a_request_leaves_open_is_what_the_models_makers_recommend()
    {
        ChatModel model = FakeCatalog.Model() with
        {
            RecommendedSampling = new RecommendedSampling { Temperature = 0.7f, TopK = 20, TopP = 0.8f, MinP = 0.01f, RepetitionPenalty = 1.05f, RepeatLastN = 64 },
        };
        Sampling open = (await OpeningAsync("{#,\"seed\":1}", model: model)).Sampling;
        Sampling named = (await OpeningAsync("{#,\"seed\":1,\"temperature\":0,\"top_k\":0,\"top_p\":1,\"min_p\":0,\"repetition_penalty\":1}", model: model)).Sampling;
        Assert.Equal((0.7f, 20u, 0.8f, 0.01f, 1.05f, 64), (open.Temperature, open.TopK, open.TopP, open.MinP, open.RepetitionPenalty, open.RepeatLastN));
        Assert.Equal(new Sampling { TopP = 1, Seed = 1 }, named);
    }

    [Fact]
    public async Task A_chain_that_takes_over_is_told_what_was_generated()
    {
        FakeNetwork network = FakeNetwork.Of("0-5", "0-5");
        network.BeforeToken = (shard, index) =>
        {
            if (shard.NodeId == "a" && index == 5)
            {
                shard.VanishBehind(index);
                return false;
            }

            return true;
        };
        await using ApiHost host = await ApiHost.StartAsync(network);
        (int status, JsonElement reply) = await host.AskAsync($"{{{Body},\"temperature\":0,\"presence_penalty\":1,\"logprobs\":true}}");

        Assert.Equal(200, status);
        JsonElement choice = reply.GetProperty("choices")[0];
        Assert.Equal("Hello from the chain.", choice.GetProperty("message").GetProperty("content").GetString());
        Assert.Equal(21, choice.GetProperty("logprobs").GetProperty("content").GetArrayLength());
        OpenSession open = Assert.Single(network.Shards["b"].Openings);
        Assert.Equal(new Protocol.Wire.PriorTokens { Position = PromptTokens, Generated = 5, Tokens = Ids('H', 'e', 'l', 'l', 'o') }, open.Sampling.History);
    }

    [Fact]
    public async Task Shards_of_an_older_version_are_named_as_what_is_in_the_way()
    {
        FakeNetwork network = new() { ProtocolVersions = [1] };
        network.Add("a", "0-5");
        await using ApiHost host = await ApiHost.StartAsync(network);
        (int status, JsonElement reply) = await host.AskAsync($"{{{Body},\"logprobs\":true}}");
        Assert.Equal((422, "sampling_unavailable"), (status, reply.GetProperty("error").GetProperty("code").GetString()));
        Assert.Equal(200, (await host.AskAsync($"{{{Body}}}")).Status);
        Assert.Equal(1u, Assert.Single(network.Shards["a"].Openings).ProtocolVersion);
    }

    private static async Task<OpenSession> OpeningAsync(string body, FakeNetwork? network = null, ChatModel? model = null)
    {
        network ??= FakeNetwork.Of("0-5");
        await using ApiHost host = await ApiHost.StartAsync(network, model: model);
        (int status, JsonElement reply) = await host.AskAsync(body.Replace("#", Body, StringComparison.Ordinal));
        Assert.True(status == 200, reply.ToString());
        return network.Shards.Values.SelectMany(shard => shard.Openings).Single(open => open.Sampling is not null);
    }

    private static Google.Protobuf.ByteString Ids(params int[] ids) =>
        Google.Protobuf.ByteString.CopyFrom([.. ids.SelectMany(id => new[] { (byte)id, (byte)(id >> 8), (byte)0, (byte)0 })]);
}
