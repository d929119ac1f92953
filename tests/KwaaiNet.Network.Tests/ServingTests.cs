using System.Net;
using System.Text.Json;
using KwaaiNet.Network.Tests.Harness;
using KwaaiNet.Protocol.Blocks;

namespace KwaaiNet.Network.Tests;

/// <summary>What an app sees of a network of three shards that were started at once.</summary>
public sealed class ServingTests : IAsyncLifetime
{
    private TestNetwork _network = null!;

    public async ValueTask InitializeAsync() => _network = await TestNetwork.StartAsync(3, TestModels.Endless);

    public ValueTask DisposeAsync() => _network.DisposeAsync();

    [Fact]
    public async Task Three_shards_cover_the_model_exactly_and_it_can_be_used()
    {
        List<BlockRange> ranges = [];
        foreach (string shard in _network.Shards)
        {
            Assert.True(BlockRange.TryParse((await _network.GetAsync(shard, "/status")).GetProperty("blocks").GetString(), out BlockRange range));
            ranges.Add(range);
        }

        ranges.Sort();
        Assert.Equal(BlockRange.Split(SyntheticChatModel.Blocks, 3), ranges);

        string whole = await _network.AnswerAsync("Hello!", 40);
        Assert.NotEmpty(whole);
        await using ChatCall.EventStream stream = await _network.StreamAsync("Hello!", 40);
        (string text, JsonElement? error, bool done) = await stream.RestAsync();
        Assert.Null(error);
        Assert.True(done);
        Assert.Equal(whole, text);
    }

    [Fact]
    public async Task An_unknown_model_is_an_error_that_names_it()
    {
        (HttpStatusCode status, JsonElement json) = await _network.PostAsync(ChatCall.Body("no-such-model", "Hello!", 5));
        Assert.Equal(HttpStatusCode.NotFound, status);
        JsonElement error = json.GetProperty("error");
        Assert.Equal("model_not_found", error.GetProperty("code").GetString());
        Assert.Contains("no-such-model", error.GetProperty("message").GetString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_reader_that_goes_away_gives_every_shard_its_memory_back()
    {
        await using (ChatCall.EventStream stream = await _network.StreamAsync("Hello!", 15_000))
        {
            await stream.FirstTextAsync();
            foreach (string shard in _network.Shards)
            {
                Assert.True(await _network.KvUsedAsync(shard) > 0, $"{shard} holds no KV in the middle of an answer");
            }
        }

        foreach (string shard in _network.Shards)
        {
            await TestNetwork.UntilAsync(async () => await _network.KvUsedAsync(shard) == 0, TimeSpan.FromSeconds(10), $"{shard} has released its KV");
        }
    }
}
