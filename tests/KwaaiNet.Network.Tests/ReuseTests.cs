using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json;
using KwaaiNet.Network.Tests.Harness;

namespace KwaaiNet.Network.Tests;

/// <summary>What shards of a real network computed once they do not compute again, and nobody can tell it from the text.</summary>
public sealed class ReuseTests
{
    private const int Tokens = 60;
    private const int Users = 8;

    [Fact]
    public async Task Conversations_go_on_where_they_were_and_a_common_system_prompt_is_computed_once()
    {
        await using TestNetwork network = await TestNetwork.StartAsync(shards: 2, TestModels.Endless);
        object question = new { role = "user", content = $"Tell me {Words(40)}." };
        Answer first = await AskAsync(network, "one", question);
        Assert.Equal(0, first.Cached);

        object[] turn = [question, new { role = "assistant", content = first.Text }, new { role = "user", content = "And then?" }];
        Answer second = await AskAsync(network, "one", turn);
        // Another key finds nothing of it: computed from the first token to the last, as on a network that has seen nothing.
        Answer fresh = await AskAsync(network, "two", turn);
        Assert.InRange(second.Cached, first.Prompt / 64 * 64, second.Prompt - 1);
        Assert.Equal((0, second.Prompt, fresh.Text), (fresh.Cached, fresh.Prompt, second.Text));

        long[] before = await RowsAsync(network);
        object system = new { role = "system", content = Words(220) };
        Answer[] answers = await Task.WhenAll(Enumerable.Range(0, Users).Select(user => AskAsync(network, "one", system, new { role = "user", content = $"I am user {user}." })));

        int common = answers.Max(answer => answer.Cached);
        Assert.InRange(common, 900, answers[0].Prompt - 1);
        Assert.Equal([0, .. Enumerable.Repeat(common, Users - 1)], answers.Select(answer => answer.Cached).Order());
        // Every shard's own count: what was not found of the prompts, and every token drawn but the last.
        long expected = answers.Sum(answer => answer.Prompt - answer.Cached + Tokens - 1);
        long[] after = await RowsAsync(network);
        Assert.All(before.Zip(after), rows => Assert.Equal(expected, rows.Second - rows.First));

        Answer alone = await AskAsync(network, "three", system, new { role = "user", content = "I am user 5." });
        Assert.Equal((0, alone.Text), (alone.Cached, answers[5].Text));
    }

    private static string Words(int count) => string.Join(' ', Enumerable.Range(0, count).Select(i => $"w{i * 7919 % 1000}"));

    private static async Task<long[]> RowsAsync(TestNetwork network)
    {
        List<long> rows = [];
        foreach (string shard in network.Shards)
        {
            rows.Add((await network.GetAsync(shard, "/status")).GetProperty("rowsComputed").GetInt64());
        }

        return [.. rows];
    }

    private static async Task<Answer> AskAsync(TestNetwork network, string key, params object[] messages)
    {
        using HttpRequestMessage request = new(HttpMethod.Post, network.Url + "/v1/chat/completions")
        {
            Content = JsonContent.Create(new { model = network.Model, temperature = 0, max_tokens = Tokens, messages }),
            Headers = { Authorization = new AuthenticationHeaderValue("Bearer", key) },
        };
        using HttpResponseMessage response = await network.Http.SendAsync(request, TestContext.Current.CancellationToken);
        JsonElement reply = await response.Content.ReadFromJsonAsync<JsonElement>(TestContext.Current.CancellationToken);
        Assert.True(response.IsSuccessStatusCode, reply.ToString());
        JsonElement usage = reply.GetProperty("usage");
        Assert.Equal(Tokens, usage.GetProperty("completion_tokens").GetInt32());
        return new Answer(
            reply.GetProperty("choices")[0].GetProperty("message").GetProperty("content").GetString()!,
            usage.GetProperty("prompt_tokens").GetInt32(),
            usage.GetProperty("prompt_tokens_details").GetProperty("cached_tokens").GetInt32());
    }

    private sealed record Answer(string Text, int Prompt, int Cached);
}
