using System.Text.Json;
using KwaaiNet.ApiNode.Models;
using KwaaiNet.ApiNode.Tests.Fakes;
using KwaaiNet.Protocol.Wire;

namespace KwaaiNet.ApiNode.Tests.Generation;

/// <summary>Whether a request fits the shards' KV memory: what they keep a position in, what they have, and who decides.</summary>
public sealed class KvRoomTests
{
    // BOS and "user:Hi;".
    private const int Prompt = 9;
    private const string Ask = "\"model\":\"demo\",\"messages\":[{\"role\":\"user\",\"content\":\"Hi\"}],\"temperature\":0";

    [Fact]
    public async Task A_position_takes_what_the_shard_says_and_not_what_the_models_file_suggests()
    {
        FakeNetwork network = Of(positions: 200, "0-2", "3-5");
        await using ApiHost host = await ApiHost.StartAsync(network);
        (int status, JsonElement reply) = await host.AskAsync($"{{{Ask},\"max_tokens\":191}}");
        Assert.True(status == 200, reply.ToString());
        Assert.Equal(200u, Assert.Single(network.Shards["a"].Openings).MaxPositions);
    }

    [Theory]
    [InlineData("")]
    [InlineData(",\"stream\":true")]
    public async Task A_request_larger_than_any_shards_whole_budget_is_400_and_no_shard_is_asked(string stream)
    {
        FakeNetwork network = Of(positions: 200, "0-2", "3-5");
        await using ApiHost host = await ApiHost.StartAsync(network);

        using HttpResponseMessage response = await host.PostAsync($"{{{Ask},\"max_tokens\":192{stream}}}");

        Assert.Equal((400, null), ((int)response.StatusCode, response.Headers.RetryAfter));
        JsonElement error = JsonElement.Parse(await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken)).GetProperty("error");
        Assert.Equal(("context_length_exceeded", "max_tokens"), (error.GetProperty("code").GetString(), error.GetProperty("param").GetString()));
        Assert.Equal(
            "The shard nodes of the model 'demo' have memory for conversations of at most 200 tokens. However, you requested 201 tokens (9 in the messages, 192 in the completion). Please reduce the length of the messages or completion.",
            error.GetProperty("message").GetString());
        Assert.Empty(network.Shards["a"].Openings);
    }

    [Fact]
    public async Task A_prompt_that_fills_the_whole_budget_is_400_also_without_a_limit()
    {
        await using ApiHost host = await ApiHost.StartAsync(Of(positions: Prompt, "0-5"));
        (int status, JsonElement reply) = await host.AskAsync($"{{{Ask}}}");
        Assert.Equal((400, "messages"), (status, reply.GetProperty("error").GetProperty("param").GetString()));
    }

    [Fact]
    public async Task A_request_without_a_limit_is_given_all_that_the_budget_holds()
    {
        FakeNetwork network = Of(positions: Prompt + 3, "0-5");
        await using ApiHost host = await ApiHost.StartAsync(network);
        (int status, JsonElement reply) = await host.AskAsync($"{{{Ask}}}");
        Assert.Equal((200, "Hel"), (status, reply.GetProperty("choices")[0].GetProperty("message").GetProperty("content").GetString()));
    }

    [Fact]
    public async Task A_shard_whose_context_is_shorter_than_the_models_is_no_reason_to_refuse_who_names_no_limit()
    {
        FakeNetwork network = FakeNetwork.Of("0-5");
        network.Shards["a"].Announce = record =>
        {
            record.Serving[0].ContextLength = 64;
            return record;
        };
        await using ApiHost host = await ApiHost.StartAsync(network);
        Assert.Equal(200, (await host.AskAsync($"{{{Ask}}}")).Status);
        Assert.Equal(64u, Assert.Single(network.Shards["a"].Openings).MaxPositions);
        Assert.Equal(400, (await host.AskAsync($"{{{Ask},\"max_tokens\":56}}")).Status);
    }

    [Fact]
    public async Task A_budget_that_is_only_out_of_reach_for_a_moment_is_not_called_too_small()
    {
        FakeNetwork network = FakeNetwork.Of("0-5", "0-5");
        network.Shards["a"].Announce = record =>
        {
            record.Serving[0].KvTotalBytes = 1;
            return record;
        };
        network.Shards["b"].RefuseOpen = FailureCode.Draining;
        await using ApiHost host = await ApiHost.StartAsync(network);
        (int status, JsonElement reply) = await host.AskAsync($"{{{Ask},\"max_tokens\":50}}");
        Assert.True(status == 503, reply.ToString());
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Room_that_has_become_free_since_the_shards_announced_is_used_twenty_times_in_a_row(bool saysItsBudget)
    {
        FakeNetwork network = new() { SaysItsBudget = saysItsBudget, KvFreeBytes = 0 };
        network.Add("a", "0-2");
        network.Add("b", "3-5");
        await using ApiHost host = await ApiHost.StartAsync(network);
        for (int i = 0; i < 20; i++)
        {
            (int status, JsonElement reply) = await host.AskAsync($"{{{Ask},\"max_tokens\":100}}");
            Assert.True(status == 200, reply.ToString());
        }
    }

    [Fact]
    public async Task A_request_without_a_limit_is_not_cut_short_by_room_that_was_taken_a_moment_ago()
    {
        FakeNetwork network = FakeNetwork.Of("0-5");
        network.KvFreeBytes = 0;
        network.Ends = false;
        await using ApiHost host = await ApiHost.StartAsync(network);
        (int status, JsonElement reply) = await host.AskAsync($"{{{Ask}}}");
        Assert.Equal((200, 256 - Prompt), (status, reply.GetProperty("usage").GetProperty("completion_tokens").GetInt32()));
    }

    [Fact]
    public async Task A_request_without_a_limit_needs_no_more_free_than_an_answer_is_expected_to_take()
    {
        FakeNetwork network = FakeNetwork.Of("0-5", "0-5");
        ChatModel model = FakeCatalog.Model(context: 8_192);
        network.KvTotalBytes = 6 * 8_192 * network.KvBytesPerBlockPosition;
        long free = 6 * (Prompt + 128) * network.KvBytesPerBlockPosition;
        network.Shards["a"].Announce = record => With(record, free - 1);
        network.Shards["b"].Announce = record => With(record, free);
        await using ApiHost host = await ApiHost.StartAsync(network, model: model);
        Assert.Equal(200, (await host.AskAsync($"{{{Ask}}}")).Status);
        Assert.Empty(network.Shards["a"].Openings);
        Assert.Equal(8_192u, Assert.Single(network.Shards["b"].Openings).MaxPositions);
    }

    [Fact]
    public async Task Models_whose_shards_are_full_are_served_all_the_same()
    {
        FakeNetwork network = FakeNetwork.Of("0-5");
        network.KvFreeBytes = 0;
        await using ApiHost host = await ApiHost.StartAsync(network);
        Assert.Contains("\"demo\"", await host.Client.GetStringAsync("/v1/models", TestContext.Current.CancellationToken), StringComparison.Ordinal);
    }

    private static NodeRecord With(NodeRecord record, long kvFreeBytes)
    {
        record.Serving[0].KvFreeBytes = kvFreeBytes;
        return record;
    }

    private static FakeNetwork Of(int positions, params string[] ranges)
    {
        FakeNetwork network = FakeNetwork.Of(ranges);
        network.KvTotalBytes = network.KvFreeBytes = positions * (network.Blocks / ranges.Length) * network.KvBytesPerBlockPosition;
        return network;
    }
}
