using KwaaiNet.ApiNode.Generation;
using KwaaiNet.ApiNode.Tests.Fakes;
using Microsoft.Extensions.AI;

namespace KwaaiNet.ApiNode.Tests.Generation;

/// <summary>A long prompt takes a few places in the first shard's line, not all of them.</summary>
public sealed class PromptFeedTests
{
    private const int Chunk = 8;

    private static readonly ChatOptions s_greedy = new() { ModelId = "demo", Temperature = 0 };

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Only_a_few_steps_of_a_prompt_wait_at_the_first_shard()
    {
        FakeNetwork network = FakeNetwork.Of("0-5");
        FakeShard shard = network.Shards["a"];
        await using ApiHost host = await ApiHost.StartAsync(network, options: api => api.PrefillChunk = Chunk);
        await host.Chat.GetResponseAsync("Hi", s_greedy, Cancelled);
        int before = shard.Frames.Count;
        for (int i = 0; i < before; i++) await shard.WaitForAsync("left");
        shard.StepsWait = true;

        Task<ChatResponse> answer = host.Chat.GetResponseAsync(new string('x', 20 * Chunk), s_greedy, Cancelled);
        for (int sent = 0; !answer.IsCompleted; sent++)
        {
            if (sent >= PromptFeed.Window)
            {
                Assert.Equal(before + sent, shard.Frames.Count);
                shard.LeaveStep(shard.Frames.ElementAt(before + sent - PromptFeed.Window));
            }

            await Task.WhenAny(answer, shard.WaitForAsync("frame"));
        }

        Assert.Equal("Hello from the chain.", (await answer).Text);
        Assert.InRange(shard.Frames.Count - before, 20, 24);
        Assert.All(shard.Frames, frame => Assert.True(frame.Acknowledge));
    }

    [Fact]
    public async Task A_shard_that_never_says_so_gets_the_whole_prompt_at_once()
    {
        FakeNetwork network = FakeNetwork.Of("0-5");
        network.Shards["a"].StepsWait = true;
        await using ApiHost host = await ApiHost.StartAsync(network, options: api => api.PrefillChunk = Chunk);

        ChatResponse response = await host.Chat.GetResponseAsync(new string('x', 20 * Chunk), s_greedy, Cancelled);

        Assert.Equal("Hello from the chain.", response.Text);
    }
}
