using System.Net;
using System.Text.Json;
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

    [Fact]
    public async Task Sampled_answers_with_penalties_and_their_log_probabilities_are_the_same_for_one_and_three_shards()
    {
        Dictionary<int, string> answers = [];
        foreach (int shards in new[] { 1, 3 })
        {
            await using TestNetwork network = await TestNetwork.StartAsync(shards, TestModels.Shipped);
            (HttpStatusCode status, JsonElement json) = await network.PostAsync(new
            {
                model = network.Model,
                messages = new[] { new { role = "user", content = s_prompts[2] } },
                max_tokens = 60,
                seed = 11,
                temperature = 0.9,
                top_p = 0.97,
                min_p = 0.01,
                typical_p = 0.99,
                presence_penalty = 0.3,
                frequency_penalty = 0.2,
                repetition_penalty = 1.1,
                repeat_last_n = 20,
                logprobs = true,
                top_logprobs = 4,
            });
            Assert.True(status == HttpStatusCode.OK, json.ToString());
            answers[shards] = json.GetProperty("choices").GetRawText();
        }

        Assert.Contains("\"top_logprobs\":[{", answers[1], StringComparison.Ordinal);
        Assert.Equal(answers[1], answers[3]);
    }
}
