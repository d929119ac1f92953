using KwaaiNet.ApiNode.Chat;
using KwaaiNet.ApiNode.Failures;
using KwaaiNet.ApiNode.Generation;
using KwaaiNet.ApiNode.Models;
using KwaaiNet.ApiNode.Tests.Fakes;
using KwaaiNet.Protocol.Sessions;
using KwaaiNet.Protocol.Wire;
using Microsoft.Extensions.AI;

namespace KwaaiNet.ApiNode.Tests.Generation;

public sealed class ShardChainChatClientTests
{
    private static readonly ChatOptions s_greedy = new() { ModelId = "demo", Temperature = 0 };

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_chain_of_three_answers_and_is_told_what_each_needs()
    {
        FakeNetwork network = FakeNetwork.Of("0-1", "2-3", "4-5");
        await using ApiHost host = await ApiHost.StartAsync(network, options: api => api.PrefillChunk = 4);

        ChatResponse response = await host.Chat.GetResponseAsync("Hi", s_greedy, Cancelled);

        Assert.Equal("Hello from the chain.", response.Text);
        Assert.Equal(ChatFinishReason.Stop, response.FinishReason);
        // BOS, "user:Hi;", 21 bytes of answer and the end token.
        Assert.Equal((9L, 22L, 31L), (response.Usage?.InputTokenCount, response.Usage?.OutputTokenCount, response.Usage?.TotalTokenCount));

        string self = host.Get<ChainServices>().NodeId;
        OpenSession first = Assert.Single(network.Shards["a"].Openings);
        OpenSession middle = Assert.Single(network.Shards["b"].Openings);
        OpenSession last = Assert.Single(network.Shards["c"].Openings);
        Assert.Equal(16, first.SessionId.Length);
        Assert.Equal([self, "c"], first.StepSources);
        Assert.Equal(["a"], middle.StepSources);
        Assert.Equal(["b"], last.StepSources);
        Assert.Equal(("b", "c", null), (first.Next?.NodeId, middle.Next?.NodeId, last.Next?.NodeId));
        Assert.Equal((null, null, "a"), (first.Ring?.NodeId, middle.Ring?.NodeId, last.Ring?.NodeId));
        Assert.Equal((null, null, 0f), (first.Sampling, middle.Sampling, last.Sampling.Temperature));
        Assert.Equal([(uint)FakeTokenizer.End], last.EndTokens);
        Assert.Equal((2u, 4u, HiddenEncoding.F16), (middle.FirstBlock, middle.EndBlock, middle.HiddenFormat));
        Assert.Equal([(0u, 4u, false), (4u, 4u, false), (8u, 1u, true)], network.Shards["a"].Frames.Select(frame => (frame.KvLength, frame.Rows, frame.Sample)));
        Assert.Empty(network.Shards["b"].Frames);
    }

    [Fact]
    public async Task A_model_whose_hidden_states_outgrow_binary16_crosses_in_float32()
    {
        FakeNetwork network = FakeNetwork.Of("0-2", "3-5");
        await using ApiHost host = await ApiHost.StartAsync(network, model: FakeCatalog.Model() with { HiddenExceedsHalf = true });
        await host.Chat.GetResponseAsync("Hi", s_greedy, Cancelled);
        Assert.All(network.Shards.Values, shard => Assert.Equal(HiddenEncoding.F32, Assert.Single(shard.Openings).HiddenFormat));
    }

    [Theory]
    [InlineData(false, 4)]
    [InlineData(true, 2)]
    public async Task A_wide_models_prompt_goes_in_frames_whose_hidden_states_fit_a_message(bool exceedsHalf, uint rows)
    {
        FakeNetwork network = FakeNetwork.Of("0-2", "3-5");
        ChatModel model = FakeCatalog.Model() with { Width = (int)(SessionBounds.MaxStepBytes / 8), HiddenExceedsHalf = exceedsHalf };
        await using ApiHost host = await ApiHost.StartAsync(network, model: model);
        await host.Chat.GetResponseAsync("Hi", s_greedy, Cancelled);
        Assert.Equal(rows, network.Shards["a"].Frames.Max(frame => frame.Rows));
    }

    [Fact]
    public async Task A_single_shard_has_no_next_and_no_ring()
    {
        FakeNetwork network = FakeNetwork.Of("0-5");
        await using ApiHost host = await ApiHost.StartAsync(network);
        await host.Chat.GetResponseAsync("Hi", s_greedy, Cancelled);
        OpenSession open = Assert.Single(network.Shards["a"].Openings);
        Assert.Equal((null, null), (open.Next, open.Ring));
        Assert.Equal([host.Get<ChainServices>().NodeId], open.StepSources);
    }

    [Fact]
    public async Task Stop_strings_across_tokens_end_the_answer_and_the_tokens_behind_them_do_not_count()
    {
        FakeNetwork network = FakeNetwork.Of("0-2", "3-5");
        await using ApiHost host = await ApiHost.StartAsync(network);

        ChatResponse response = await host.Chat.GetResponseAsync("Hi", With(options => options.StopSequences = ["from"]), Cancelled);

        Assert.Equal(("Hello ", ChatFinishReason.Stop, 10L), (response.Text, response.FinishReason, response.Usage?.OutputTokenCount));
        await network.Shards["a"].WaitForAsync("close");
        await network.Shards["b"].WaitForAsync("close");
    }

    [Fact]
    public async Task The_limit_ends_the_answer_with_length_and_an_end_token_in_time_with_stop()
    {
        await using ApiHost host = await ApiHost.StartAsync(FakeNetwork.Of("0-5"));
        ChatResponse cut = await host.Chat.GetResponseAsync("Hi", With(options => options.MaxOutputTokens = 5), Cancelled);
        ChatResponse whole = await host.Chat.GetResponseAsync("Hi", With(options => options.MaxOutputTokens = 22), Cancelled);
        Assert.Equal(("Hello", ChatFinishReason.Length, 5L), (cut.Text, cut.FinishReason, cut.Usage?.OutputTokenCount));
        Assert.Equal(("Hello from the chain.", ChatFinishReason.Stop), (whole.Text, whole.FinishReason));
    }

    [Fact]
    public async Task Characters_of_several_tokens_come_whole()
    {
        FakeNetwork network = FakeNetwork.Of("0-5");
        network.Answer = "Grüß 🙂";
        await using ApiHost host = await ApiHost.StartAsync(network);
        List<string> texts = await host.Chat.GetStreamingResponseAsync("Hi", s_greedy, Cancelled).Select(update => update.Text).Where(text => text.Length > 0).ToListAsync(Cancelled);
        Assert.Equal(["G", "r", "ü", "ß", " ", "🙂"], texts);
    }

    [Fact]
    public async Task Cancelling_closes_the_session_on_every_shard()
    {
        FakeNetwork network = FakeNetwork.Of("0-2", "3-5");
        network.BeforeToken = (_, index) => index < 3;
        await using ApiHost host = await ApiHost.StartAsync(network);
        using CancellationTokenSource cancel = CancellationTokenSource.CreateLinkedTokenSource(Cancelled);

        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () =>
        {
            int seen = 0;
            await foreach (ChatResponseUpdate update in host.Chat.GetStreamingResponseAsync("Hi", s_greedy, cancel.Token))
            {
                if (update.Text.Length > 0 && ++seen == 3)
                {
                    await cancel.CancelAsync();
                }
            }
        });

        await network.Shards["a"].WaitForAsync("close");
        await network.Shards["b"].WaitForAsync("close");
        Assert.Empty(network.Shards["a"].Sessions);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(5)]
    [InlineData(22)]
    public async Task A_reader_that_cancels_is_given_nothing_more_though_every_token_is_there(int updates)
    {
        await using ApiHost host = await ApiHost.StartAsync(FakeNetwork.Of("0-2", "3-5"));
        using CancellationTokenSource cancel = CancellationTokenSource.CreateLinkedTokenSource(Cancelled);
        int seen = 0;

        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () =>
        {
            await foreach (ChatResponseUpdate update in host.Chat.GetStreamingResponseAsync("Hi", s_greedy, cancel.Token))
            {
                if (++seen == updates)
                {
                    await cancel.CancelAsync();
                }
            }
        });

        Assert.Equal(updates, seen);
    }

    [Fact]
    public async Task A_client_that_disconnects_closes_the_session_on_every_shard()
    {
        FakeNetwork network = FakeNetwork.Of("0-2", "3-5");
        network.BeforeToken = (_, index) => index < 1;
        await using ApiHost host = await ApiHost.StartAsync(network);

        HttpResponseMessage response = await host.PostAsync("""{"model":"demo","messages":[{"role":"user","content":"Hi"}],"temperature":0,"stream":true}""");
        response.Dispose();

        await network.Shards["a"].WaitForAsync("close");
        await network.Shards["b"].WaitForAsync("close");
    }

    [Fact]
    public async Task A_node_that_vanishes_while_opening_is_replaced_before_the_reader_sees_anything()
    {
        FakeNetwork network = FakeNetwork.Of("0-2", "3-5", "3-5");
        network.Shards["b"].VanishOnOpen = true;
        await using ApiHost host = await ApiHost.StartAsync(network);

        Assert.Equal("Hello from the chain.", (await host.Chat.GetResponseAsync("Hi", s_greedy, Cancelled)).Text);
        await network.Shards["a"].WaitForAsync("close");

        // The next request does not try it again.
        await host.Chat.GetResponseAsync("Hi", s_greedy, Cancelled);
        Assert.Single(network.Shards["b"].Openings);
    }

    [Fact]
    public async Task A_node_blamed_by_its_neighbour_is_replaced_and_a_stranger_cannot_be_blamed()
    {
        FakeNetwork network = FakeNetwork.Of("0-2", "3-5", "3-5");
        network.Shards["a"].RefuseOpen = FailureCode.NextHopLost;
        network.Shards["a"].Blames = "b";
        network.BeforeToken = (_, _) => true;
        await using ApiHost host = await ApiHost.StartAsync(network);

        ChainUnavailableException exception = await Assert.ThrowsAnyAsync<ChainUnavailableException>(
            async () => await host.Chat.GetResponseAsync("Hi", s_greedy, Cancelled));

        Assert.Equal("chain_incomplete", exception.Code);
        // First b, then c as next hop: blaming b again for a chain without it falls back on a.
        Assert.Equal(["b", "c"], network.Shards["a"].Openings.Select(open => open.Next.NodeId));
    }

    [Fact]
    public async Task No_chain_left_names_the_blocks_and_what_happened()
    {
        FakeNetwork network = FakeNetwork.Of("0-2", "3-5");
        network.Shards["b"].RefuseOpen = FailureCode.RangeNotHeld;
        await using ApiHost host = await ApiHost.StartAsync(network);

        ChainUnavailableException exception = await Assert.ThrowsAsync<ChainUnavailableException>(
            () => host.Chat.GetResponseAsync("Hi", s_greedy, Cancelled));

        Assert.Equal((503, "chain_incomplete"), (exception.Status, exception.Code));
        Assert.Contains("blocks 3-5", exception.Message, StringComparison.Ordinal);
        Assert.Contains("RangeNotHeld", exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_full_node_is_passed_over_without_quarantine()
    {
        FakeNetwork network = FakeNetwork.Of("0-5", "0-5");
        network.Shards["a"].RefuseOpen = FailureCode.KvExhausted;
        await using ApiHost host = await ApiHost.StartAsync(network);
        ChatOptions limited = With(options => options.MaxOutputTokens = 30);

        Assert.Equal("Hello from the chain.", (await host.Chat.GetResponseAsync("Hi", limited, Cancelled)).Text);
        Assert.Equal("Hello from the chain.", (await host.Chat.GetResponseAsync("Hi", limited, Cancelled)).Text);
        Assert.Equal(2, network.Shards["a"].Openings.Count);
    }

    [Fact]
    public async Task A_request_without_a_limit_takes_what_kv_there_is()
    {
        FakeNetwork network = FakeNetwork.Of("0-5");
        network.KvTotalBytes = 6 * 150 * network.KvBytesPerBlockPosition;
        await using ApiHost host = await ApiHost.StartAsync(network);
        await host.Chat.GetResponseAsync("Hi", s_greedy, Cancelled);
        Assert.Equal(150u, network.Shards["a"].Openings.Single().MaxPositions);
    }

    [Fact]
    public async Task Discovery_being_lost_does_not_end_service()
    {
        FakeNetwork network = FakeNetwork.Of("0-5");
        network.Trouble = "Redis is full.";
        await using ApiHost host = await ApiHost.StartAsync(network);
        Assert.Equal("Hello from the chain.", (await host.Chat.GetResponseAsync("Hi", s_greedy, Cancelled)).Text);
    }

    [Fact]
    public async Task Metadata_names_the_provider()
    {
        await using ApiHost host = await ApiHost.StartAsync();
        ChatClientMetadata? metadata = host.Chat.GetService<ChatClientMetadata>();
        Assert.Equal(("kwaainet", "demo"), (metadata?.ProviderName, metadata?.DefaultModelId));
        Assert.NotNull(host.Chat.GetService<ShardChainChatClient>());
    }

    private static ChatOptions With(Action<ChatOptions> change)
    {
        ChatOptions options = s_greedy.Clone();
        change(options);
        return options;
    }
}
