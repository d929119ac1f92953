using System.Net.Http.Json;
using System.Text.Json;
using KwaaiNet.Protocol.Blocks;
using KwaaiNet.Protocol.Nodes;
using KwaaiNet.Protocol.Wire;
using KwaaiNet.ShardNode.Tests.Fakes;

namespace KwaaiNet.ShardNode.Tests.Hosts;

/// <summary>Shards and a discovery service that is slow, away, or hangs.</summary>
public sealed class LostDirectoryTests
{
    [Fact]
    public async Task Shards_that_choose_their_blocks_watch_once_each_and_never_ask_for_everything()
    {
        MemoryDirectory directory = new();
        TestShard[] shards = await Task.WhenAll(Enumerable.Range(0, 3).Select(_ => TestShard.StartAsync(directory, new FakeBlockSource(), "Shard:ExpectedShards=3")));
        try
        {
            IReadOnlyList<SignedNodeRecord> ready = await directory.WaitForReadyAsync(3);
            Dictionary<string, ulong> then = ready.ToDictionary(record => record.NodeId, record => record.Record.Sequence);

            // A good while of looking whether something is missing elsewhere: the heartbeats are 200 ms apart, the sequences count milliseconds.
            await directory.WaitAsync(records => records.All(record => record.Record.Sequence > then.GetValueOrDefault(record.NodeId) + 2_500));

            Assert.Equal((0, 3), (directory.Lookups, directory.Watches));
        }
        finally
        {
            foreach (TestShard shard in shards) await shard.DisposeAsync();
        }
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_shard_whose_discovery_is_away_at_the_start_loads_the_blocks_it_chose_last(bool hangs)
    {
        MemoryDirectory directory = new();
        string home = Directory.CreateTempSubdirectory("kwaainet-home-").FullName;
        try
        {
            await using TestShard other = await TestShard.StartAsync(directory, new FakeBlockSource(), "Shard:Blocks=0-1");
            await directory.WaitForReadyAsync(1);
            string[] options = ["Shard:ExpectedShards=3", $"Node:Home={home}"];
            await using (await TestShard.StartAsync(directory, new FakeBlockSource(), options))
            {
                await directory.WaitForReadyAsync(2);
            }

            if (hangs) directory.Hang();
            else directory.GoAway();
            await using TestShard again = await TestShard.StartAsync(directory, new FakeBlockSource(), options);
            await UntilAsync(() => again.IsReady);
            using HttpClient http = new();
            JsonElement status = await http.GetFromJsonAsync<JsonElement>($"{again.Http}/status", TestContext.Current.CancellationToken);
            Assert.Equal(("ready", "2-3"), (status.GetProperty("state").GetString(), status.GetProperty("blocks").GetString()));

            // Once discovery is back it says what it serves, and stays.
            directory.ComeBack();
            IReadOnlyList<SignedNodeRecord> records = await directory.WaitForReadyAsync(2);
            Assert.Equal([0u, 2u], records.Select(record => record.Record.Serving[0].FirstBlock).Order());
        }
        finally
        {
            directory.ComeBack();
            Directory.Delete(home, recursive: true);
        }
    }

    [Fact]
    public async Task A_shard_goes_on_serving_its_blocks_while_discovery_is_away()
    {
        MemoryDirectory directory = new();
        FakeBlockSource source = new();
        await using TestShard shard = await TestShard.StartAsync(directory, source, "Shard:ExpectedShards=3");
        SignedNodeRecord before = Assert.Single(await directory.WaitForReadyAsync(1));

        directory.GoAway();
        int watches = directory.Watches;
        await UntilAsync(() => directory.Watches > watches + 1);
        Assert.True(shard.IsReady);
        directory.ComeBack();
        await directory.WaitAsync(records => records.Any(record => record.Record.Sequence > before.Record.Sequence + 1_000));

        Assert.True(shard.IsReady);
        Assert.Single(source.Stacks);
    }

    [Fact]
    public async Task A_shard_that_waits_for_discovery_stops_when_it_is_told()
    {
        MemoryDirectory directory = new();
        directory.Hang();
        FakeBlockSource source = new();
        TestShard shard = await TestShard.StartAsync(directory, source, "Shard:ExpectedShards=3");
        await UntilAsync(() => directory.Watches > 0);
        await shard.StopAsync().WaitAsync(TimeSpan.FromSeconds(15), TestContext.Current.CancellationToken);
        Assert.Empty(source.Stacks);
        await shard.DisposeAsync();
    }

    [Fact]
    public async Task A_loop_that_fails_is_made_anew_on_the_same_device_also_while_discovery_hangs()
    {
        FakeBlockSource source = new();
        MemoryDirectory directory = new();
        await using TestShard shard = await TestShard.StartAsync(directory, source, "Shard:Blocks=0-5");
        await directory.WaitForReadyAsync(1);
        Hop hop = new() { NodeId = shard.NodeId, Endpoint = shard.Endpoint };
        await using ChainClient client = new();

        directory.Hang();
        source.Stacks[0].LoopFails = true;
        await client.CloseAsync(hop, LoopHarness.NewId()); // something to do for the loop
        Assert.NotNull((await client.Events.NextAsync()).Closed);
        await UntilAsync(() => source.Stacks.Count == 2 && shard.IsReady);

        Google.Protobuf.ByteString id = await client.OpenAsync(LoopHarness.Hash, [(hop, new BlockRange(0, 6))]);
        await client.PromptAsync(hop, id, [1, 2, 3]);
        Assert.Equal(LoopHarness.Reference([1, 2, 3], 16), await client.TokensAsync());
        directory.ComeBack();
    }

    private static async Task UntilAsync(Func<bool> holds)
    {
        using CancellationTokenSource limit = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        limit.CancelAfter(TestTimeout.Value);
        using PeriodicTimer timer = new(TimeSpan.FromMilliseconds(20));
        while (!holds()) await timer.WaitForNextTickAsync(limit.Token);
    }
}
