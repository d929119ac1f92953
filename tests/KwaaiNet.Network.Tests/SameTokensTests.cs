using KwaaiNet.Cli.Models;
using KwaaiNet.Cli.State;
using KwaaiNet.Network.Tests.Harness;

namespace KwaaiNet.Network.Tests;

/// <summary>Where a model is cut changes nothing that a reader sees.</summary>
public sealed class SameTokensTests
{
    private static readonly string[] s_prompts = ["Explain Layer 8 in one paragraph.", "Hello!", "Tell me a short story about a river."];

    [Fact]
    public async Task Greedy_answers_are_the_same_for_one_two_three_and_as_many_shards_as_there_are_blocks()
    {
        using TestFolder folder = new();
        int blocks = LocalModels.Find(new KwaaiNetHome(folder.Path), TestModels.Shipped).Blocks!.Value;
        Dictionary<int, string[]> answers = [];
        foreach (int shards in new[] { 1, 2, 3, blocks }.Distinct())
        {
            await using TestNetwork network = await TestNetwork.StartAsync(shards, TestModels.Shipped);
            answers[shards] = [.. await Task.WhenAll(s_prompts.Select(prompt => network.AnswerAsync(prompt, maxTokens: 100)))];
        }

        Assert.All(answers[1], answer => Assert.NotEmpty(answer));
        Assert.All(answers.Values, answer => Assert.Equal(answers[1], answer));
    }
}
