using System.Text;
using KwaaiNet.CandelEngine.Files;
using KwaaiNet.CandelEngine.Text.HuggingFace;
using KwaaiNet.Fuzz.Campaigns;
using KwaaiNet.Fuzz.Targets;

namespace KwaaiNet.CandelEngine.Tests;

/// <summary>A short run of the fuzzer for each reader; <c>tests/KwaaiNet.Fuzz</c> is the long one. A failure prints its seed.</summary>
[Trait("Category", "BadInput")]
public sealed class FuzzTests
{
    private const int Inputs = 4000;
    private static readonly TimeSpan s_most = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan s_oneInput = TimeSpan.FromMinutes(2);

    public static TheoryData<string> Targets => [.. FuzzTargets.Names];

    [Theory]
    [MemberData(nameof(Targets))]
    public void Damaged_input_is_a_typed_error_or_none_within_time_and_memory(string target)
    {
        ulong seed = (ulong)Random.Shared.NextInt64();
        Campaign campaign = new(FuzzTargets.Create(target), seed);
        FuzzFailure? failure = WatchedCampaign.Run(campaign, seed, Inputs, heavy: false, s_most, s_oneInput);
        Assert.True(failure is null, $"dotnet run --project tests/KwaaiNet.Fuzz -c Release -- --target {target} --seed {seed} repeats it. {failure}");
        Assert.True(campaign.Ways > 10, $"Seed {seed}: the damage led to {campaign.Ways} results only: it does not reach the reader.");
    }

    [Theory]
    [InlineData("\"type\": \"NF\u00bfC\"")]
    [InlineData("\"type\": \"NFC\", \"\u00bf\": 1")]
    [InlineData("\"type\": \"NF\\ud800C\"")]
    public void A_tokenizer_whose_parts_are_not_text_is_a_typed_error(string normalizer)
    {
        // Found by the fuzzer. In Latin-1 the sign is one byte, which is no UTF-8.
        byte[] json = Encoding.Latin1.GetBytes($"{{ \"normalizer\": {{ {normalizer} }}, \"model\": {{ \"type\": \"BPE\", \"vocab\": {{ \"a\": 0 }}, \"merges\": [] }} }}");
        Assert.Throws<ModelFormatException>(() => HuggingFaceTokenizer.Read("tokenizer.json", json));
    }

    [Fact]
    public void The_same_seed_repeats_a_run()
    {
        int[] ways = [.. Enumerable.Range(0, 2).Select(_ =>
        {
            Campaign campaign = new(FuzzTargets.Create("gguf"), 17);
            Assert.Null(campaign.Run(1500, heavy: false, TestContext.Current.CancellationToken));
            return campaign.Ways;
        })];
        Assert.Equal(ways[0], ways[1]);
    }
}
