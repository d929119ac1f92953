using Google.Protobuf;
using KwaaiNet.ApiNode.Configuration;
using KwaaiNet.ApiNode.Failures;
using KwaaiNet.ApiNode.Generation;
using KwaaiNet.ApiNode.Tests.Fakes;
using KwaaiNet.Protocol.Wire;
using Microsoft.Extensions.AI;
using Microsoft.Extensions.Time.Testing;

namespace KwaaiNet.ApiNode.Tests.Generation;

/// <summary>Shards that are lost, freeze, stop or repeat themselves while an answer is given.</summary>
public sealed class LostShardTests
{
    private static readonly ChatOptions s_greedy = new() { ModelId = "demo", Temperature = 0 };

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_shard_lost_in_mid_answer_is_replaced_and_the_reader_sees_no_seam(bool deviceFails)
    {
        FakeNetwork network = FakeNetwork.Of("0-2", "3-5", "3-5");
        network.BeforeToken = (shard, index) =>
        {
            if (shard.NodeId == "b" && index == 5)
            {
                if (!deviceFails) shard.Vanish();
                foreach (ByteString session in deviceFails ? shard.Sessions.Keys : [])
                {
                    shard.Send(new ControlEvent { Failed = new SessionFailed { SessionId = session, Code = FailureCode.ComputeFailed, Message = "The device failed; the node is leaving." } });
                }

                return false;
            }

            return true;
        };
        await using ApiHost host = await ApiHost.StartAsync(network);

        ChatResponse response = await host.Chat.GetResponseAsync("Hi", s_greedy, Cancelled);

        Assert.Equal(("Hello from the chain.", 9L, 22L), (response.Text, response.Usage?.InputTokenCount, response.Usage?.OutputTokenCount));
    }

    [Fact]
    public async Task A_shard_lost_late_in_a_long_prompt_is_replaced()
    {
        FakeTimeProvider time = new();
        FakeNetwork network = FakeNetwork.Of("0-5", "0-5");
        network.BeforeToken = (shard, _) => shard.NodeId != "a";
        await using ApiHost host = await ApiHost.StartAsync(network, time: time);

        Task<ChatResponse> answer = host.Chat.GetResponseAsync("Hi", s_greedy, Cancelled);
        await network.Shards["a"].WaitForAsync("frame");
        for (TimeSpan passed = TimeSpan.Zero; passed < TimeSpan.FromSeconds(ApiOptions.DefaultRouteTimeoutSeconds + 5); passed += ShardLink.PingPeriod)
        {
            time.Advance(ShardLink.PingPeriod);
            await network.Shards["a"].WaitForAsync("ping");
        }

        network.Shards["a"].Vanish();
        Assert.Equal("Hello from the chain.", (await answer).Text);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_shard_that_stops_early_or_only_repeats_itself_is_replaced(bool stops)
    {
        FakeNetwork network = FakeNetwork.Of("0-5", "0-5");
        network.BeforeToken = (shard, index) =>
        {
            if (shard.NodeId != "a" || index != 2)
            {
                return true;
            }

            (ByteString id, OpenSession open) = shard.Sessions.Single();
            uint position = open.MaxPositions - open.MaxNewTokens + (stops ? 2u : 1u);
            for (int i = 0; i < (stops ? 1 : 17); i++)
            {
                shard.Send(new ControlEvent { Token = new TokenSampled { SessionId = id, Position = position, Token = 'l', Last = stops } });
            }

            return false;
        };
        await using ApiHost host = await ApiHost.StartAsync(network);

        ChatResponse response = await host.Chat.GetResponseAsync("Hi", s_greedy, Cancelled);

        Assert.Equal(("Hello from the chain.", ChatFinishReason.Stop), (response.Text, response.FinishReason));
    }

    [Fact]
    public async Task A_shard_lost_in_mid_answer_without_a_replacement_is_a_typed_error_and_closes_the_others()
    {
        FakeNetwork network = FakeNetwork.Of("0-2", "3-5");
        network.BeforeToken = (shard, index) =>
        {
            if (index == 5)
            {
                shard.Vanish();
            }

            return index < 5;
        };
        await using ApiHost host = await ApiHost.StartAsync(network);
        List<string> texts = [];

        ChainLostException exception = await Assert.ThrowsAsync<ChainLostException>(async () =>
        {
            await foreach (ChatResponseUpdate update in host.Chat.GetStreamingResponseAsync("Hi", s_greedy, Cancelled))
            {
                texts.Add(update.Text);
            }
        });

        Assert.Equal("Hello", string.Concat(texts));
        Assert.Contains("after 5 tokens", exception.Message, StringComparison.Ordinal);
        await network.Shards["a"].WaitForAsync("close");
    }

    [Fact]
    public async Task A_shard_that_freezes_before_opening_is_an_error_within_five_seconds()
    {
        FakeTimeProvider time = new();
        FakeNetwork network = FakeNetwork.Of("0-2", "3-5");
        network.Shards["b"].Frozen = true;
        await using ApiHost host = await ApiHost.StartAsync(network, time: time);

        Task<ChatResponse> answer = host.Chat.GetResponseAsync("Hi", s_greedy, Cancelled);
        await network.Shards["b"].WaitForAsync("open");
        await AdvanceAsync(network, time, TimeSpan.FromSeconds(5));

        ChainUnavailableException exception = await Assert.ThrowsAsync<ChainUnavailableException>(() => answer);
        Assert.Equal("chain_incomplete", exception.Code);
    }

    [Fact]
    public async Task A_shard_in_the_middle_of_a_long_turn_is_waited_for_and_not_lost()
    {
        FakeTimeProvider time = new();
        FakeNetwork network = FakeNetwork.Of("0-2", "3-5");
        TaskCompletionSource turn = new();
        network.Shards["b"].Turn = turn.Task;
        await using ApiHost host = await ApiHost.StartAsync(network, time: time);

        Task<ChatResponse> answer = host.Chat.GetResponseAsync("Hi", s_greedy, Cancelled);
        await network.Shards["b"].WaitForAsync("asked");
        await network.Shards["a"].WaitForAsync("open");
        await PassAsync([network.Shards["a"], network.Shards["b"]], time, answer, TimeSpan.FromSeconds((2 * ApiOptions.DefaultOpenTimeoutSeconds) + 1));
        Assert.False(answer.IsCompleted);
        turn.SetResult();

        Assert.Equal("Hello from the chain.", (await answer).Text);
    }

    [Fact]
    public async Task A_shard_that_says_it_lives_and_never_opens_is_left_for_another()
    {
        FakeTimeProvider time = new();
        FakeNetwork network = FakeNetwork.Of("0-5", "0-5");
        network.Shards["a"].Turn = new TaskCompletionSource().Task;
        await using ApiHost host = await ApiHost.StartAsync(network, time: time);

        Task<ChatResponse> answer = host.Chat.GetResponseAsync("Hi", s_greedy, Cancelled);
        await network.Shards["a"].WaitForAsync("asked");
        await PassAsync([network.Shards["a"]], time, answer, TimeSpan.FromSeconds((3 * ApiOptions.DefaultOpenTimeoutSeconds) + 1));

        Assert.Equal("Hello from the chain.", (await answer).Text);
    }

    [Fact]
    public async Task A_shard_that_freezes_in_mid_answer_is_an_error_within_five_seconds()
    {
        FakeTimeProvider time = new();
        FakeNetwork network = FakeNetwork.Of("0-2", "3-5");
        network.BeforeToken = (_, index) => index < 2;
        await using ApiHost host = await ApiHost.StartAsync(network, time: time);

        await using IAsyncEnumerator<ChatResponseUpdate> answer = host.Chat.GetStreamingResponseAsync("Hi", s_greedy, Cancelled).GetAsyncEnumerator(Cancelled);
        for (int i = 0; i < 3; i++)
        {
            Assert.True(await answer.MoveNextAsync());
        }

        network.Shards["b"].Frozen = true;
        Task<bool> next = answer.MoveNextAsync().AsTask();
        await AdvanceAsync(network, time, TimeSpan.FromSeconds(5));

        await Assert.ThrowsAsync<ChainLostException>(() => next);
    }

    [Fact]
    public async Task A_chain_whose_shards_answer_and_give_no_token_is_given_up_in_the_end()
    {
        FakeTimeProvider time = new();
        FakeNetwork network = FakeNetwork.Of("0-5");
        network.BeforeToken = (_, _) => false;
        await using ApiHost host = await ApiHost.StartAsync(network, time: time, options: api => api.StepTimeoutSeconds = 30);

        Task<ChatResponse> answer = host.Chat.GetResponseAsync("Hi", s_greedy, Cancelled);
        await network.Shards["a"].WaitForAsync("frame");
        await PassAsync([network.Shards["a"]], time, answer, TimeSpan.FromMinutes(1));

        ChatFailureException exception = await Assert.ThrowsAnyAsync<ChatFailureException>(() => answer);
        Assert.Contains("no token for 30 s", exception.Message, StringComparison.Ordinal);
    }

    // Time goes on look by look, as long as the answer is due; the pongs of all shards that have the session are heard in between.
    private static async Task PassAsync(FakeShard[] shards, FakeTimeProvider time, Task answer, TimeSpan duration)
    {
        for (TimeSpan passed = TimeSpan.Zero; passed < duration && !answer.IsCompleted; passed += ShardLink.PingPeriod)
        {
            time.Advance(ShardLink.PingPeriod);
            await Task.WhenAny(answer, Task.WhenAll(shards.Select(shard => shard.WaitForAsync("ping"))));
        }
    }

    // Time goes on look by look, and the shards that are well answer in between.
    private static async Task AdvanceAsync(FakeNetwork network, FakeTimeProvider time, TimeSpan duration)
    {
        for (TimeSpan passed = TimeSpan.Zero; passed < duration; passed += ShardLink.PingPeriod)
        {
            time.Advance(ShardLink.PingPeriod);
            if (passed < duration / 2)
            {
                await network.Shards["a"].WaitForAsync("ping");
            }
        }
    }
}
