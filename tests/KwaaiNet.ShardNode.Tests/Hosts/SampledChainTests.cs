using System.Runtime.InteropServices;
using Google.Protobuf;
using KwaaiNet.CandelEngine.Models;
using KwaaiNet.CandelEngine.Models.Formats;
using KwaaiNet.Protocol.Blocks;
using KwaaiNet.Protocol.Wire;

namespace KwaaiNet.ShardNode.Tests.Hosts;

/// <summary>Penalties, bias, filters and log probabilities over whole hosts: the last shard draws, and knows tokens only from what it is told.</summary>
public sealed class SampledChainTests : IAsyncLifetime
{
    private const int Count = 24;

    private static readonly int[] s_prompt = [1, 17, 4, 33, 2, 60, 5, 9, 12, 44, 7, 8, 21];

    private readonly MemoryDirectory _directory = new();
    private readonly List<TestShard> _shards = [];
    private string _hash = "";

    public async ValueTask InitializeAsync()
    {
        foreach (string blocks in new[] { "0-5", "0-1", "2-2", "3-5" })
        {
            _shards.Add(await TestShard.StartAsync(_directory, $"Shard:Blocks={blocks}"));
        }

        await _directory.WaitForReadyAsync(_shards.Count);
        using ModelFile file = ModelFile.Open(TinyModel.Path);
        _hash = file.WeightsHash;
    }

    public async ValueTask DisposeAsync()
    {
        foreach (TestShard shard in _shards) await shard.DisposeAsync();
    }

    [Fact]
    public async Task A_chain_of_three_draws_what_one_shard_draws_with_the_same_log_probabilities()
    {
        await using ChainClient client = new();
        List<TokenSampled> alone = await RunAsync(client, Whole, Everything(s_prompt, 0), s_prompt, Count);
        List<TokenSampled> chained = await RunAsync(client, Chain, Everything(s_prompt, 0), s_prompt, Count);
        Assert.Equal(Count, alone.Count);
        Assert.Equal(alone.Select(Facts), chained.Select(Facts));
        Assert.All(alone, token => Assert.Equal(3, token.Logprobs.Top.Count));
        Assert.All(alone, token => Assert.InRange(token.Logprobs.Drawn, -50, 0));
        Assert.True(alone.Select(token => token.Token).Distinct().Count() > 6, "One and the same token shows nothing.");
    }

    [Theory]
    [InlineData(1)]
    [InlineData(7)]
    [InlineData(23)]
    public async Task An_answer_that_goes_on_elsewhere_is_the_one_it_would_have_been(int lostAfter)
    {
        await using ChainClient client = new();
        List<TokenSampled> undisturbed = await RunAsync(client, Chain, Everything(s_prompt, 0), s_prompt, Count);
        int[] known = [.. s_prompt, .. undisturbed.Take(lostAfter).Select(token => (int)token.Token)];
        List<TokenSampled> rest = await RunAsync(client, Whole, Everything(known, lostAfter), known, Count - lostAfter);
        Assert.Equal(undisturbed.Skip(lostAfter).Select(Facts), rest.Select(Facts));
    }

    [Fact]
    public async Task Penalties_change_the_answer_and_a_prompt_counts_for_repetition_alone()
    {
        await using ChainClient client = new();
        List<TokenSampled> plain = await RunAsync(client, Whole, new Sampling { TopP = 1 }, s_prompt, Count, version: 1);
        int[] ids = [.. plain.Select(token => (int)token.Token)];
        Sampling presence = new() { TopP = 1, PresencePenalty = 100, History = History(s_prompt, 0, 0) };
        List<TokenSampled> distinct = await RunAsync(client, Whole, presence, s_prompt, Count);
        Assert.True(ids.Distinct().Count() < Count, "The model repeats nothing; a penalty shows nothing.");
        Assert.Equal(Count, distinct.Select(token => token.Token).Distinct().Count());
        Assert.Equal(plain[0].Token, distinct[0].Token);
        Assert.Null(plain[0].Logprobs);
    }

    [Fact]
    public async Task A_step_sent_twice_is_answered_twice_and_counted_once()
    {
        await using ChainClient client = new();
        List<TokenSampled> expected = await RunAsync(client, Whole, Everything(s_prompt, 0), s_prompt, 2);
        ByteString id = await OpenAsync(client, Whole, Everything(s_prompt, 0), 1, 2);
        Hop first = Whole[0].Hop;
        await client.PromptAsync(first, id, s_prompt, chunk: s_prompt.Length);
        TokenSampled once = (await client.Events.NextAsync()).Token;
        await client.PromptAsync(first, id, s_prompt, chunk: s_prompt.Length);
        TokenSampled again = (await client.Events.NextAsync()).Token;
        Assert.Equal(once, again);
        Assert.Equal(Facts(expected[0]), Facts(once));
    }

    [Fact]
    public async Task A_history_that_does_not_end_where_drawing_begins_ends_the_session()
    {
        await using ChainClient client = new();
        Sampling wrong = Everything(s_prompt, 0);
        wrong.History = History(s_prompt[1..], 0, s_prompt.Length - 1);
        ByteString id = await OpenAsync(client, Whole, wrong, 4, 2);
        await client.PromptAsync(Whole[0].Hop, id, s_prompt);
        SessionFailed failed = (await client.Events.NextAsync()).Failed;
        Assert.Equal(FailureCode.BadFrame, failed.Code);
        Assert.Contains("position 13", failed.Message, StringComparison.Ordinal);
    }

    private IReadOnlyList<(Hop Hop, BlockRange Range)> Whole => [Link(0, 0, 6)];

    private IReadOnlyList<(Hop Hop, BlockRange Range)> Chain => [Link(1, 0, 2), Link(2, 2, 3), Link(3, 3, 6)];

    private (Hop Hop, BlockRange Range) Link(int shard, int first, int end) =>
        (new Hop { NodeId = _shards[shard].NodeId, Endpoint = _shards[shard].Endpoint }, new BlockRange(first, end));

    private static Sampling Everything(int[] known, int generated) => new()
    {
        Temperature = 0.9f,
        TopK = 40,
        TopP = 0.97f,
        MinP = 0.01f,
        TypicalP = 0.99f,
        RepetitionPenalty = 1.15f,
        RepeatLastN = 9,
        PresencePenalty = 0.3f,
        FrequencyPenalty = 0.2f,
        LogitBias = { new TokenBias { Token = 3, Bias = 1.5f }, new TokenBias { Token = 12, Bias = -100 } },
        TopLogprobs = 3,
        Seed = 7,
        History = History(known, generated, Math.Max(9, generated)),
    };

    private static PriorTokens History(int[] known, int generated, int count) => new()
    {
        Position = (uint)(known.Length - count),
        Generated = (uint)Math.Min(generated, count),
        Tokens = ByteString.CopyFrom(MemoryMarshal.AsBytes(known.AsSpan(known.Length - count))),
    };

    private static (uint Token, uint Position, string Logprobs) Facts(TokenSampled token) => (token.Token, token.Position, token.Logprobs.ToString());

    private Task<ByteString> OpenAsync(ChainClient client, IReadOnlyList<(Hop Hop, BlockRange Range)> chain, Sampling sampling, int count, uint version) =>
        client.OpenAsync(_hash, chain, (uint)count, sampling, change: open =>
        {
            if (open.Sampling is not null) open.ProtocolVersion = version;
        });

    private async Task<List<TokenSampled>> RunAsync(
        ChainClient client, IReadOnlyList<(Hop Hop, BlockRange Range)> chain, Sampling sampling, int[] known, int count, uint version = 2)
    {
        ByteString id = await OpenAsync(client, chain, sampling, count, version);
        await client.PromptAsync(chain[0].Hop, id, known);
        List<TokenSampled> tokens = [];
        while (tokens.Count == 0 || !tokens[^1].Last)
        {
            ControlEvent message = await client.Events.NextAsync();
            Assert.True(message.EventCase == ControlEvent.EventOneofCase.Token, message.ToString());
            tokens.Add(message.Token);
        }

        foreach ((Hop hop, _) in chain) await client.CloseAsync(hop, id);
        foreach ((Hop _, _) in chain) Assert.NotNull((await client.Events.NextAsync()).Closed);
        return tokens;
    }
}
