using System.Diagnostics;
using System.Text.Json;
using Google.Protobuf;
using KwaaiNet.CandelEngine.Models;
using KwaaiNet.CandelEngine.Models.Formats;
using KwaaiNet.Protocol.Blocks;
using KwaaiNet.Protocol.Wire;

namespace KwaaiNet.ShardNode.Tests.Hosts;

/// <summary>A real small llama over three hosts against another engine's run of the whole.</summary>
public sealed class StoriesChainTests(ITestOutputHelper output)
{
    private const int Positions = 250;

    [Theory]
    [InlineData("Once_upon_a")]
    [InlineData("Lily_and_Tom")]
    public async Task Three_hosts_tell_the_story_the_reference_tells(string run)
    {
        string path = TestData.Require("models", "stories260K-f32.gguf");
        string[] lines = await File.ReadAllLinesAsync(TestData.Require("models", $"stories260K.ref.{run}.jsonl"), TestContext.Current.CancellationToken);
        int[] prompt = [.. JsonDocument.Parse(lines[0]).RootElement.GetProperty("prompt_ids").EnumerateArray().Select(id => id.GetInt32())];
        int[] reference = [.. lines.Skip(1).Select(line => JsonDocument.Parse(line).RootElement.GetProperty("token").GetInt32()).Take(Positions)];

        using ModelFile model = ModelFile.Open(path);
        BlockRange[] ranges = BlockRange.Split(model.Shape.BlockCount, 3);
        MemoryDirectory directory = new();
        List<TestShard> shards = [];
        try
        {
            foreach (BlockRange range in ranges)
            {
                shards.Add(await TestShard.StartAsync(directory, $"Shard:ModelPath={path}", $"Shard:Blocks={range}"));
            }

            await directory.WaitForReadyAsync(3);
            await using ChainClient client = new();
            (Hop Hop, BlockRange)[] chain = [.. shards.Zip(ranges, (shard, range) => (new Hop { NodeId = shard.NodeId, Endpoint = shard.Endpoint }, range))];
            uint count = (uint)(reference.Length - prompt.Length);
            ByteString id = await client.OpenAsync(model.WeightsHash, chain, count, change: open =>
            {
                open.HiddenFormat = HiddenEncoding.F32;
                open.MaxPositions = Positions;
            });
            long start = Stopwatch.GetTimestamp();
            await client.PromptAsync(chain[0].Hop, id, prompt);
            List<int> tokens = await client.TokensAsync();
            output.WriteLine($"{tokens.Count / Stopwatch.GetElapsedTime(start).TotalSeconds:F0} tokens/s over three hosts");
            Assert.Equal(reference[prompt.Length..], tokens);
        }
        finally
        {
            foreach (TestShard shard in shards) await shard.DisposeAsync();
        }
    }
}
