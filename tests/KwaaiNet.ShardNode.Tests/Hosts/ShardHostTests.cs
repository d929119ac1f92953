using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using Google.Protobuf;
using KwaaiNet.CandelEngine.Models;
using KwaaiNet.CandelEngine.Models.Formats;
using KwaaiNet.Protocol.Blocks;
using KwaaiNet.Protocol.Nodes;
using KwaaiNet.Protocol.Wire;
using KwaaiNet.ShardNode.Telemetry;
using KwaaiNet.ShardNode.Tests.Fakes;

namespace KwaaiNet.ShardNode.Tests.Hosts;

/// <summary>Whole hosts on loopback: mutual TLS, real streams, real blocks of a tiny random llama.</summary>
public sealed class ShardHostTests
{
    private static readonly int[] s_prompt = [1, 17, 4, 33, 2, 60, 5, 9, 12, 44, 7, 8, 21];

    // The relays of these tests stand before the gRPC port; a link would go past them.
    private const string OverGrpc = "Node:LinkPort=-1";

    [Fact]
    public async Task A_chain_of_three_draws_the_same_tokens_as_one_shard()
    {
        MemoryDirectory directory = new();
        await using TestShard whole = await TestShard.StartAsync(directory, "Shard:Blocks=0-5");
        await using TestShard first = await TestShard.StartAsync(directory, "Shard:Blocks=0-1", "Shard:PrefillChunkRows=3");
        await using TestShard second = await TestShard.StartAsync(directory, "Shard:Blocks=2-2");
        await using TestShard third = await TestShard.StartAsync(directory, "Shard:Blocks=3-5");
        await directory.WaitForReadyAsync(4);
        await using ChainClient client = new();
        Sampling[] samplings = [new() { TopP = 1 }, new() { Temperature = 0.9f, TopK = 20, TopP = 0.95f, Seed = 7 }];
        foreach (Sampling sampling in samplings)
        {
            List<int> alone = await GenerateAsync(client, [Link(whole, 0, 6)], sampling);
            List<int> chained = await GenerateAsync(client, [Link(first, 0, 2), Link(second, 2, 3), Link(third, 3, 6)], sampling);
            List<int> partly = await GenerateAsync(client, [Link(first, 0, 1), Link(whole, 1, 3), Link(third, 3, 6)], sampling);
            Assert.Equal(16, alone.Count);
            Assert.True(alone.Distinct().Count() > 2, "The model draws nothing but one token; it shows nothing.");
            Assert.Equal(alone, chained);
            Assert.Equal(alone, partly);
        }
    }

    [Fact]
    public async Task Sessions_side_by_side_draw_what_they_draw_alone()
    {
        MemoryDirectory directory = new();
        await using TestShard first = await TestShard.StartAsync(directory, "Shard:Blocks=0-2");
        await using TestShard second = await TestShard.StartAsync(directory, "Shard:Blocks=3-5");
        await directory.WaitForReadyAsync(2);
        (Hop, BlockRange)[] chain = [Link(first, 0, 3), Link(second, 3, 6)];
        int[][] prompts = [.. Enumerable.Range(0, 6).Select(i => s_prompt.Select(token => (token + (i * 11)) % TinyModel.Vocabulary).ToArray()[..(4 + i)])];
        List<List<int>> alone = [];
        await using (ChainClient client = new())
        {
            foreach (int[] prompt in prompts) alone.Add(await GenerateAsync(client, chain, prompt: prompt));
        }

        List<int>[] together = await Task.WhenAll(prompts.Select(async prompt =>
        {
            await using ChainClient client = new();
            return await GenerateAsync(client, chain, prompt: prompt);
        }));
        Assert.Equal(alone, together);
    }

    [Fact]
    public async Task Hidden_states_go_from_shard_to_shard_and_the_token_round()
    {
        MemoryDirectory directory = new();
        await using TestShard first = await TestShard.StartAsync(directory, "Shard:Blocks=0-2", OverGrpc);
        await using TestShard second = await TestShard.StartAsync(directory, "Shard:Blocks=3-5", OverGrpc);
        await directory.WaitForReadyAsync(2);
        await using TcpRelay between = new(second.Endpoint);
        await using TcpRelay round = new(first.Endpoint);
        await using ChainClient client = new();
        (Hop, BlockRange)[] direct = [Link(first, 0, 3), Link(second, 3, 6)];
        ByteString id = LoopHarness.NewId();

        // The client speaks to both shards at their own addresses; only what shards say to one another passes the relays.
        ByteString session = await OpenWithRelaysAsync(client, direct, between.Endpoint, round.Endpoint, id);
        long before = between.Bytes;
        await client.PromptAsync(direct[0].Item1, session, s_prompt);
        Assert.Equal(16, (await client.TokensAsync()).Count);
        Assert.True(between.Bytes - before > (s_prompt.Length + 15) * 32 * 2, "The hidden states did not pass between the shards.");
        Assert.True(round.Bytes > 0, "The tokens did not go round.");
    }

    [Fact]
    public async Task A_lost_next_hop_is_named_and_every_cache_is_released()
    {
        MemoryDirectory directory = new();
        await using TestShard first = await TestShard.StartAsync(directory, "Shard:Blocks=0-1", OverGrpc);
        await using TestShard second = await TestShard.StartAsync(directory, "Shard:Blocks=2-3", OverGrpc);
        await using TestShard third = await TestShard.StartAsync(directory, "Shard:Blocks=4-5", OverGrpc);
        await directory.WaitForReadyAsync(3);
        await using TcpRelay toSecond = new(second.Endpoint);
        await using ChainClient client = new();
        (Hop, BlockRange)[] chain = [Link(first, 0, 2), (new Hop { NodeId = second.NodeId, Endpoint = toSecond.Endpoint }, new BlockRange(2, 4)), Link(third, 4, 6)];
        ByteString id = await client.OpenAsync(Hash(), chain, maxNewTokens: 16);
        await client.PromptAsync(chain[0].Item1, id, s_prompt);
        Assert.Equal(16, (await client.TokensAsync()).Count);

        toSecond.Cut();
        SessionFailed failed = (await client.Events.NextAsync()).Failed;
        Assert.Equal((id, FailureCode.NextHopLost, second.NodeId), (failed.SessionId, failed.Code, failed.NodeId));
        await client.CloseAsync(chain[2].Item1, id);
        Assert.Equal(id, (await client.Events.NextAsync()).Closed.SessionId);

        // The second's control stream went through the cut as well, so its session is closed there.
        await UntilReleasedAsync(directory, first, second, third);
    }

    [Fact]
    public async Task A_shard_that_stops_drains_says_so_and_leaves()
    {
        MemoryDirectory directory = new();
        await using TestShard first = await TestShard.StartAsync(directory, "Shard:Blocks=0-2");
        TestShard second = await TestShard.StartAsync(directory, "Shard:Blocks=3-5");
        await directory.WaitForReadyAsync(2);
        await using ChainClient client = new();
        ByteString id = await client.OpenAsync(Hash(), [Link(first, 0, 3), Link(second, 3, 6)]);
        string secondId = second.NodeId;
        Task stopping = second.StopAsync();
        await directory.WaitAsync(records =>
            records.All(record => record.NodeId != secondId || record.Record.Serving.Any(served => served.State == ServingState.Draining)));

        // Which of the two hears first that the chain is broken is open; both name the node that left.
        SessionFailed failed = (await client.Events.NextAsync()).Failed;
        Assert.Equal((id, secondId), (failed.SessionId, failed.NodeId));
        Assert.Contains(failed.Code, new[] { FailureCode.Draining, FailureCode.NextHopLost });
        await stopping.WaitAsync(TestTimeout.Value, TestContext.Current.CancellationToken);
        await directory.WaitAsync(records => records.All(record => record.NodeId != secondId));
        await UntilReleasedAsync(directory, first);
        await second.DisposeAsync();
    }

    [Fact]
    public async Task An_owner_that_vanishes_leaves_nothing_behind_on_any_shard()
    {
        MemoryDirectory directory = new();
        await using TestShard first = await TestShard.StartAsync(directory, "Shard:Blocks=0-2");
        await using TestShard second = await TestShard.StartAsync(directory, "Shard:Blocks=3-5");
        await directory.WaitForReadyAsync(2);
        ChainClient client = new();
        ByteString id = await client.OpenAsync(Hash(), [Link(first, 0, 3), Link(second, 3, 6)], maxNewTokens: 50);
        await client.PromptAsync(Link(first, 0, 3).Hop, id, s_prompt);
        await client.Events.NextAsync();
        await client.DisposeAsync();
        await UntilReleasedAsync(directory, first, second);
    }

    [Fact]
    public async Task A_forged_source_is_refused_and_the_session_goes_on()
    {
        MemoryDirectory directory = new();
        await using TestShard shard = await TestShard.StartAsync(directory, "Shard:Blocks=0-5");
        await directory.WaitForReadyAsync(1);
        await using ChainClient client = new();
        await using ChainClient stranger = new();
        ByteString id = await client.OpenAsync(Hash(), [Link(shard, 0, 6)]);
        await stranger.PromptAsync(Link(shard, 0, 6).Hop, id, [1, 2, 3]);
        Assert.Equal(FailureCode.NotAllowed, (await stranger.Refusals.NextAsync()).Code);
        await stranger.CloseAsync(Link(shard, 0, 6).Hop, id);
        Assert.Equal(FailureCode.NotAllowed, (await stranger.Events.NextAsync()).Failed.Code);
        await client.PromptAsync(Link(shard, 0, 6).Hop, id, s_prompt);
        Assert.Equal(16, (await client.TokensAsync()).Count);
    }

    [Fact]
    public async Task Three_shards_started_at_once_share_a_model_and_a_spare_one_fills_a_gap()
    {
        MemoryDirectory directory = new();
        TestShard[] shards = await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => TestShard.StartAsync(directory, "Shard:ExpectedShards=3")));
        try
        {
            IReadOnlyList<SignedNodeRecord> records = await directory.WaitForReadyAsync(4);
            Assert.Equal(3, records.Select(record => record.Record.Serving[0].FirstBlock).Distinct().Count());

            string dead = records.GroupBy(record => record.Record.Serving[0].FirstBlock).First(group => group.Count() == 1).Single().NodeId;
            TestShard leaving = shards.Single(shard => shard.NodeId == dead);
            await leaving.StopAsync();
            await directory.WaitAsync(live => live.Count == 3
                && live.All(record => record.Record.Serving.Count == 1 && record.Record.Serving[0].State == ServingState.Ready)
                && live.Sum(record => record.Record.Serving[0].EndBlock - record.Record.Serving[0].FirstBlock) == TinyModel.Blocks
                && live.Select(record => record.Record.Serving[0].FirstBlock).Distinct().Count() == 3);
        }
        finally
        {
            foreach (TestShard shard in shards) await shard.DisposeAsync();
        }
    }

    [Fact]
    public async Task Health_status_and_the_record_say_what_is_served()
    {
        MemoryDirectory directory = new();
        await using TestShard shard = await TestShard.StartAsync(directory, "Shard:Blocks=2-4", "Node:Name=shard-7");
        SignedNodeRecord record = Assert.Single(await directory.WaitForReadyAsync(1));
        using HttpClient http = new();
        Assert.Equal(HttpStatusCode.OK, (await http.GetAsync($"{shard.Http}/alive", TestContext.Current.CancellationToken)).StatusCode);
        Assert.Equal(HttpStatusCode.OK, await UntilHealthyAsync(http, shard, directory));
        JsonElement status = await http.GetFromJsonAsync<JsonElement>($"{shard.Http}/status", TestContext.Current.CancellationToken);
        Assert.Equal("shard-7", status.GetProperty("name").GetString());
        Assert.Equal("ready", status.GetProperty("state").GetString());
        Assert.Equal("2-4", status.GetProperty("blocks").GetString());
        Assert.Equal("cpu", status.GetProperty("backend").GetString());
        Assert.True(status.GetProperty("memoryBytes").GetInt64() > 0);
        Assert.True(status.GetProperty("kvFreeBytes").GetInt64() > 0);

        ServedBlocks served = record.Record.Serving[0];
        Assert.Equal((8L << 20, 8L << 20, 2L * 2 * 8 * sizeof(ushort)), (served.KvTotalBytes, served.KvFreeBytes, served.KvBytesPerBlockPosition));
        Assert.Equal((served.KvTotalBytes, served.KvBytesPerBlockPosition, record.Record.StartedUnixMs), (
            status.GetProperty("kvTotalBytes").GetInt64(), status.GetProperty("kvBytesPerBlockPosition").GetInt64(), status.GetProperty("startedUnixMs").GetInt64()));
        Assert.InRange(record.Record.StartedUnixMs, 1, record.Record.IssuedUnixMs);
        Assert.Equal((2u, 5u, 6u, "tiny", Hash()), (served.FirstBlock, served.EndBlock, served.BlockCount, served.Model, served.WeightsHash));
        Assert.True(served.PrefillTokensPerSecond > 0 && served.DecodeTokensPerSecond > 0 && served.WeightBytes > 0);
        await using ChainClient client = new();
        DescribeReply described = await client.Client(Link(shard, 2, 5).Hop).DescribeAsync(new DescribeRequest(), cancellationToken: TestContext.Current.CancellationToken);
        Assert.Equal(shard.NodeId, SignedNodeRecord.Verify(described.Record).NodeId);
    }

    [Fact]
    public async Task A_session_leaves_one_prefill_and_one_decode_span_on_each_hop()
    {
        const string Trace = "4bf92f3577b34da6a3ce929d0e0e4736";
        ConcurrentBag<Activity> spans = [];
        using ActivityListener listener = new()
        {
            ShouldListenTo = source => source.Name == ShardTelemetry.Name,
            Sample = (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllDataAndRecorded,
            ActivityStopped = span =>
            {
                if (span.TraceId.ToString() == Trace) spans.Add(span);
            },
        };
        ActivitySource.AddActivityListener(listener);
        MemoryDirectory directory = new();
        await using TestShard first = await TestShard.StartAsync(directory, "Shard:Blocks=0-2");
        await using TestShard second = await TestShard.StartAsync(directory, "Shard:Blocks=3-5");
        await directory.WaitForReadyAsync(2);
        await using ChainClient client = new() { Traceparent = $"00-{Trace}-00f067aa0ba902b7-01" };
        await GenerateAsync(client, [Link(first, 0, 3), Link(second, 3, 6)]);
        Assert.Equal(
            ["shard.decode 0-2 15", "shard.decode 3-5 15", "shard.prefill 0-2 13", "shard.prefill 3-5 13"],
            spans.Select(span => $"{span.OperationName} {span.GetTagItem("kwaainet.blocks")} {span.GetTagItem("kwaainet.rows")}").Order(StringComparer.Ordinal));
    }

    private static (Hop Hop, BlockRange Range) Link(TestShard shard, int first, int end) =>
        (new Hop { NodeId = shard.NodeId, Endpoint = shard.Endpoint }, new BlockRange(first, end));

    private static string Hash()
    {
        using ModelFile file = ModelFile.Open(TinyModel.Path);
        return file.WeightsHash;
    }

    private static async Task<List<int>> GenerateAsync(
        ChainClient client, IReadOnlyList<(Hop Hop, BlockRange Range)> chain, Sampling? sampling = null, int[]? prompt = null)
    {
        ByteString id = await client.OpenAsync(Hash(), chain, sampling: sampling);
        await client.PromptAsync(chain[0].Hop, id, prompt ?? s_prompt);
        List<int> tokens = await client.TokensAsync();
        foreach ((Hop hop, _) in chain) await client.CloseAsync(hop, id);
        foreach ((Hop _, _) in chain) Assert.NotNull((await client.Events.NextAsync()).Closed);
        return tokens;
    }

    // Every heartbeat is an occasion to look again.
    private static Task UntilReleasedAsync(MemoryDirectory directory, params TestShard[] shards) =>
        directory.WaitAsync(_ => shards.All(shard => shard.Gauges is { Sessions: 0, KvUsedBytes: 0 }));

    private static Task<ByteString> OpenWithRelaysAsync(
        ChainClient client, (Hop Hop, BlockRange Range)[] chain, string nextEndpoint, string ringEndpoint, ByteString id) =>
        client.OpenAsync(Hash(), chain, id: id, change: open =>
        {
            if (open.Next is not null) open.Next.Endpoint = nextEndpoint;
            if (open.Ring is not null) open.Ring.Endpoint = ringEndpoint;
        });

    // The record is there a moment before the host notes that it is; every heartbeat is an occasion to look again.
    private static async Task<HttpStatusCode> UntilHealthyAsync(HttpClient http, TestShard shard, MemoryDirectory directory)
    {
        for (int heartbeat = 0; ; heartbeat++)
        {
            HttpStatusCode code = (await http.GetAsync($"{shard.Http}/health", TestContext.Current.CancellationToken)).StatusCode;
            if (code == HttpStatusCode.OK || heartbeat == 20) return code;

            ulong? seen = null;
            await directory.WaitAsync(records => (seen ??= records[0].Record.Sequence) != records[0].Record.Sequence);
        }
    }
}
