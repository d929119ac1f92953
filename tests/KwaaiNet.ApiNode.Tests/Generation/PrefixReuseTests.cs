using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using KwaaiNet.ApiNode.Models;
using KwaaiNet.ApiNode.Prefixes;
using KwaaiNet.ApiNode.Tests.Fakes;
using KwaaiNet.Protocol.Sessions;
using KwaaiNet.Protocol.Wire;
using Microsoft.Extensions.AI;

namespace KwaaiNet.ApiNode.Tests.Generation;

/// <summary>What shards hold of a prompt is not sent to them again: by whom it is found, who waits for it, and where a request goes for it.</summary>
public sealed class PrefixReuseTests
{
    private static readonly ChatModel s_model = FakeCatalog.Model(context: 4_096);
    private static readonly string s_system = new('s', 640);
    private static readonly ChatOptions s_greedy = new() { ModelId = "demo", Temperature = 0, MaxOutputTokens = 200 };

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task The_next_turn_of_a_conversation_computes_only_what_is_new()
    {
        FakeNetwork network = Network("0-2", "3-5");
        // As the template writes it: what was drawn stands in the next prompt as it was drawn.
        network.Answer = $"assistant:{new string('y', 100)}";
        await using ApiHost host = await ApiHost.StartAsync(network, model: s_model);
        ChatMessage question = new(ChatRole.User, new string('x', 150));
        ChatResponse first = await host.Chat.GetResponseAsync([question], s_greedy, Cancelled);
        long rows = network.Shards["a"].Rows;
        Assert.Equal((0L, 157L, 157L), (first.Usage?.CachedInputTokenCount, first.Usage?.InputTokenCount, rows));

        network.Answer = "Again.";
        ChatMessage answer = new(ChatRole.Assistant, first.Text["assistant:".Length..]);
        ChatResponse second = await host.Chat.GetResponseAsync([question, answer, new(ChatRole.User, "more")], s_greedy, Cancelled);

        // 157 of the prompt and 110 of the answer are four whole pages and some.
        Assert.Equal(("Again.", 256L, 278L), (second.Text, second.Usage?.CachedInputTokenCount, second.Usage?.InputTokenCount));
        Assert.Equal(278 - 256, network.Shards["a"].Rows - rows);
    }

    [Fact]
    public async Task Usage_says_how_many_tokens_of_the_prompt_were_cached_also_in_a_stream()
    {
        await using ApiHost host = await ApiHost.StartAsync(Network("0-5"), model: s_model);
        string ask = $"\"model\":\"demo\",\"messages\":[{{\"role\":\"user\",\"content\":\"{s_system}\"}}],\"temperature\":0";
        Assert.Equal(0, Cached((await host.AskAsync($"{{{ask}}}")).Body));
        Assert.Equal(640, Cached((await host.AskAsync($"{{{ask}}}")).Body));
        List<string> events = await host.StreamAsync($"{{{ask},\"stream\":true,\"stream_options\":{{\"include_usage\":true}}}}");
        Assert.Equal(640, Cached(JsonElement.Parse(events[^2])));

        static int Cached(JsonElement reply) => reply.GetProperty("usage").GetProperty("prompt_tokens_details").GetProperty("cached_tokens").GetInt32();
    }

    [Fact]
    public async Task Eight_at_once_with_one_system_prompt_have_it_computed_once()
    {
        FakeNetwork network = Network("0-2", "3-5");
        using SemaphoreSlim gate = new(0);
        int begun = 0;
        network.BeforeToken = (_, index) =>
        {
            if (index == 0 && Interlocked.Increment(ref begun) == 1)
            {
                Assert.True(gate.Wait(TimeSpan.FromMinutes(1)));
            }

            return true;
        };
        await using ApiHost host = await ApiHost.StartAsync(network, model: s_model);
        Task<ChatResponse>[] answers = [.. Enumerable.Range(0, 8).Select(user => Task.Run(() => host.Chat.GetResponseAsync(Asks($"question {user}"), s_greedy, Cancelled)))];
        // The others would have opened long before the first one's token: they are told to wait before they open.
        await network.Shards["a"].WaitForAsync("frame");
        gate.Release();

        ChatResponse[] responses = await Task.WhenAll(answers);

        Assert.All(responses, response => Assert.Equal("Hello from the chain.", response.Text));
        Assert.Equal([0L, .. Enumerable.Repeat(640L, 7)], responses.Select(response => response.Usage!.CachedInputTokenCount!.Value).Order());
        long prompt = responses[0].Usage!.InputTokenCount!.Value;
        Assert.Equal(prompt + (7 * (prompt - 640)), network.Shards["a"].Rows);
    }

    [Fact]
    public async Task When_the_one_that_computes_leaves_another_of_those_that_wait_computes()
    {
        FakeNetwork network = Network("0-5");
        using SemaphoreSlim gate = new(0);
        using CancellationTokenSource leaving = CancellationTokenSource.CreateLinkedTokenSource(Cancelled);
        network.BeforeToken = (_, index) => index > 0 || gate.Wait(TimeSpan.FromMinutes(1));
        await using ApiHost host = await ApiHost.StartAsync(network, model: s_model);
        Task<ChatResponse> first = host.Chat.GetResponseAsync(Asks("one"), s_greedy, leaving.Token);
        await network.Shards["a"].WaitForAsync("frame");
        Task<ChatResponse> second = host.Chat.GetResponseAsync(Asks("two"), s_greedy, Cancelled);
        Assert.Single(network.Shards["a"].Openings);

        await leaving.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => first);
        await network.Shards["a"].WaitForAsync("open");
        gate.Release(2);

        Assert.Equal("Hello from the chain.", (await second).Text);
    }

    [Theory]
    [InlineData("Bearer one", "Bearer one", false, 640)]
    [InlineData("Bearer one", "Bearer two", false, 0)]
    [InlineData("Bearer one", "", false, 0)]
    [InlineData("", "", false, 640)]
    [InlineData("Bearer one", "Bearer two", true, 640)]
    public async Task Between_different_keys_nothing_is_shared_unless_configured(string first, string second, bool share, int cached)
    {
        FakeNetwork network = Network("0-5");
        await using ApiHost host = await ApiHost.StartAsync(network, model: s_model, options: api => api.ShareCacheBetweenKeys = share);
        await AskAsync(first);
        Assert.Equal(cached, await AskAsync(second));
        OpenSession[] openings = [.. network.Shards["a"].Openings];
        Assert.Equal(cached > 0, openings[0].PrefixHashes == openings[1].PrefixHashes);

        async Task<int> AskAsync(string key)
        {
            using HttpRequestMessage request = new(HttpMethod.Post, "/v1/chat/completions")
            {
                Content = new StringContent($"{{\"model\":\"demo\",\"temperature\":0,\"messages\":[{{\"role\":\"user\",\"content\":\"{s_system}\"}}]}}", Encoding.UTF8, "application/json"),
            };
            request.Headers.Authorization = key.Length > 0 ? AuthenticationHeaderValue.Parse(key) : null;
            using HttpResponseMessage response = await host.Client.SendAsync(request, Cancelled);
            JsonElement reply = JsonElement.Parse(await response.Content.ReadAsStringAsync(Cancelled));
            return reply.GetProperty("usage").GetProperty("prompt_tokens_details").GetProperty("cached_tokens").GetInt32();
        }
    }

    [Theory]
    [InlineData(0u, 0L)]
    [InlineData(128u, 128L)]
    public async Task A_chain_begins_where_the_shard_that_holds_least_does(uint least, long cached)
    {
        FakeNetwork network = Network("0-2", "3-5");
        await using ApiHost host = await ApiHost.StartAsync(network, model: s_model);
        await host.Chat.GetResponseAsync(Asks("one"), s_greedy, Cancelled);
        network.Shards["b"].Claims = _ => least;

        ChatResponse response = await host.Chat.GetResponseAsync(Asks("two"), s_greedy, Cancelled);

        Assert.Equal(("Hello from the chain.", cached), (response.Text, response.Usage?.CachedInputTokenCount));
        StepFrame[] frames = [.. network.Shards["a"].Frames.SkipWhile(frame => !frame.Sample).Skip(1)];
        Assert.Equal(((uint)cached, response.Usage?.InputTokenCount), (frames[0].KvLength, frames[^1].KvLength + frames[^1].Rows));
    }

    [Theory]
    [InlineData(63u)]
    [InlineData(704u)]
    [InlineData(uint.MaxValue)]
    public async Task A_shard_that_claims_what_cannot_be_is_left_for_another(uint claim)
    {
        FakeNetwork network = Network("0-5", "0-5");
        network.Shards["a"].Claims = _ => claim;
        await using ApiHost host = await ApiHost.StartAsync(network, model: s_model);
        ChatResponse response = await host.Chat.GetResponseAsync(Asks("one"), s_greedy, Cancelled);
        Assert.Equal("Hello from the chain.", response.Text);
        Assert.Single(network.Shards["b"].Openings);
        Assert.Empty(network.Shards["a"].Frames);
    }

    [Fact]
    public async Task A_prompt_goes_where_its_beginning_is_held_unless_that_node_is_too_busy()
    {
        FakeNetwork network = Network("0-5", "0-5");
        Sessions(network.Shards["a"], 8);
        await using ApiHost host = await ApiHost.StartAsync(network, model: s_model);
        await host.Chat.GetResponseAsync(Asks("one"), s_greedy, Cancelled);
        Assert.Single(network.Shards["b"].Openings);

        Sessions(network.Shards["a"], 0);
        Sessions(network.Shards["b"], 1);
        Assert.Equal(640, (await host.Chat.GetResponseAsync(Asks("two"), s_greedy, Cancelled)).Usage?.CachedInputTokenCount);
        Sessions(network.Shards["b"], 400);
        Assert.Equal(0, (await host.Chat.GetResponseAsync(Asks("three"), s_greedy, Cancelled)).Usage?.CachedInputTokenCount);
        Assert.Single(network.Shards["a"].Openings);
    }

    [Theory]
    [InlineData(0f)]
    [InlineData(1f)]
    public async Task An_answer_that_moves_to_another_chain_is_the_same_with_cached_pages_there_and_without(float temperature)
    {
        ChatOptions options = s_greedy.Clone();
        options.Temperature = temperature;
        options.Seed = 3;
        options.MaxOutputTokens = 100;
        string undisturbed = await AnswerAsync(lost: false, warm: false);
        Assert.Equal(undisturbed, await AnswerAsync(lost: true, warm: false));
        Assert.Equal(undisturbed, await AnswerAsync(lost: true, warm: true));

        async Task<string> AnswerAsync(bool lost, bool warm)
        {
            FakeNetwork network = Network("0-5", "0-5");
            network.Ends = false;
            await using ApiHost host = await ApiHost.StartAsync(network, model: s_model);
            if (warm)
            {
                Sessions(network.Shards["a"], 8);
                await host.Chat.GetResponseAsync(Asks("one"), options, Cancelled);
                Sessions(network.Shards["a"], 0);
                Sessions(network.Shards["b"], 400);
            }

            network.BeforeToken = (shard, index) =>
            {
                if (lost && shard.NodeId == "a" && index == 40)
                {
                    shard.Vanish();
                    return false;
                }

                return true;
            };
            ChatResponse response = await host.Chat.GetResponseAsync(Asks("two"), options, Cancelled);
            Assert.Equal(warm, lost && network.Shards["b"].Frames.Last().KvLength >= 640);
            return response.Text;
        }
    }

    [Fact]
    public void What_is_remembered_of_chains_is_bounded_and_the_beginning_is_forgotten_last()
    {
        PageHolders holders = new(most: 4);
        PageHashChain one = Pages('a', 3);
        PageHashChain two = Pages('b', 2);
        holders.Add([new("n", "https://n:1", new(0, 6))], one, 3);
        holders.Add([new("m", "https://m:1", new(0, 6))], two, 2);
        Assert.Equal((128, "n"), (holders.Find(one, 3)!.Positions, holders.Find(one, 3)!.Hops[0].NodeId));
        Assert.Equal((128, "m"), (holders.Find(two, 2)!.Positions, holders.Find(two, 2)!.Hops[0].NodeId));

        // Another chain that has nothing says nothing of this one; the same one does, by whichever endpoint and record.
        holders.Forget([new("m", "https://m:1", new(0, 6))], one, 1, 3);
        Assert.Equal(128, holders.Find(one, 3)!.Positions);
        holders.Forget([new("n", "https://n:2", new(0, 6)) { Sequence = 9 }], one, 1, 3);
        Assert.Equal(64, holders.Find(one, 3)!.Positions);
    }

    private static PageHashChain Pages(int token, int pages)
    {
        PageHashChain chain = new(FakeCatalog.Hash, "");
        chain.Extend([.. Enumerable.Repeat(token, pages * PageHash.Positions)]);
        return chain;
    }

    private static ChatMessage[] Asks(string question) => [new(ChatRole.System, s_system), new(ChatRole.User, question)];

    private static void Sessions(FakeShard shard, uint sessions) => shard.Announce = record =>
    {
        record.Serving[0].Sessions = sessions;
        return record;
    };

    private static FakeNetwork Network(params string[] ranges) => FakeNetwork.Of(ranges);
}
