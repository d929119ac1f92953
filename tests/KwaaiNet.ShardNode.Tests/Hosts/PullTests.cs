using System.Text.Json;
using Google.Protobuf;
using KwaaiNet.CandelEngine.Models;
using KwaaiNet.CandelEngine.Models.Formats;
using KwaaiNet.Protocol.Blocks;
using KwaaiNet.Protocol.Wire;
using KwaaiNet.ShardNode.Tests.Fakes;

namespace KwaaiNet.ShardNode.Tests.Hosts;

/// <summary>Shards that have no model and fetch the blocks they choose.</summary>
public sealed class PullTests
{
    private const string Model = "tiny:6b";

    [Fact]
    public async Task Shards_that_pull_their_blocks_draw_the_tokens_of_one_that_has_the_file()
    {
        await using FileRegistry registry = await FileRegistry.StartAsync(TinyModel.Path);
        string folder = Directory.CreateTempSubdirectory("kwaainet-pull-").FullName;
        try
        {
            await DrawAsync(registry, folder);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static async Task DrawAsync(FileRegistry registry, string folder)
    {
        MemoryDirectory directory = new();
        await using TestShard whole = await TestShard.StartAsync(directory, "Shard:Blocks=0-5", $"Shard:Model={Model}");
        await directory.WaitForReadyAsync(1);
        string[] pull = ["Shard:ModelPath=", "Shard:Pull=true", $"Shard:Model={Model}", $"ModelStore:Registry={registry.Address}", $"ModelStore:Folder={folder}"];
        await using TestShard first = await TestShard.StartAsync(directory, [.. pull, "Shard:Blocks=0-1"]);
        await using TestShard second = await TestShard.StartAsync(directory, [.. pull, "Shard:Blocks=2-3"]);
        await using TestShard third = await TestShard.StartAsync(directory, [.. pull, "Shard:Blocks=4-5"]);

        // Until its blocks are here a shard says what it waits for, and is not ready.
        using HttpClient http = new();
        using CancellationTokenSource patience = new(TestTimeout.Value);
        while ((await StatusAsync(http, first)).GetProperty("pulling").ValueKind == JsonValueKind.Null) patience.Token.ThrowIfCancellationRequested();
        Assert.False(first.IsReady);
        registry.Gate.SetResult();
        await directory.WaitForReadyAsync(4);
        Assert.Equal(JsonValueKind.Null, (await StatusAsync(http, first)).GetProperty("pulling").ValueKind);

        // Three shards in one folder: each its own blocks, one header for all.
        string[] files = [.. Directory.EnumerateFiles(folder, "*.gguf", SearchOption.AllDirectories).Select(path => Path.GetFileName(path)!).Order(StringComparer.Ordinal)];
        Assert.Equal(["6b.blocks-0-1.gguf", "6b.blocks-2-3.gguf", "6b.blocks-4-5.gguf", "6b.header.gguf"], files);
        foreach (string file in files[..3])
            Assert.InRange(new FileInfo(Path.Combine(folder, "tiny", file)).Length, 1, new FileInfo(TinyModel.Path).Length / 2);

        await using ChainClient client = new();
        List<int> alone = await GenerateAsync(client, (whole, 0, 6));
        List<int> pulled = await GenerateAsync(client, (first, 0, 2), (second, 2, 4), (third, 4, 6));
        Assert.True(alone.Distinct().Count() > 2, "The model draws nothing but one token; it shows nothing.");
        Assert.Equal(alone, pulled);
    }

    private static Task<JsonElement> StatusAsync(HttpClient http, TestShard shard) => ReadAsync(http, $"{shard.Http}/status");

    private static async Task<JsonElement> ReadAsync(HttpClient http, string address) =>
        JsonDocument.Parse(await http.GetByteArrayAsync(address, TestContext.Current.CancellationToken)).RootElement;

    private static async Task<List<int>> GenerateAsync(ChainClient client, params (TestShard Shard, int First, int End)[] links)
    {
        using ModelFile file = ModelFile.Open(TinyModel.Path);
        (Hop Hop, BlockRange)[] chain = [.. links.Select(link => (new Hop { Endpoint = link.Shard.Endpoint, NodeId = link.Shard.NodeId }, new BlockRange(link.First, link.End)))];
        ByteString id = await client.OpenAsync(file.WeightsHash, chain, change: open => open.Model = Model);
        await client.PromptAsync(chain[0].Hop, id, [1, 17, 4, 33, 2, 60]);
        List<int> tokens = await client.TokensAsync();
        foreach ((Hop hop, _) in chain) await client.CloseAsync(hop, id);
        foreach ((Hop _, BlockRange _) in chain) Assert.NotNull((await client.Events.NextAsync()).Closed);
        return tokens;
    }
}
