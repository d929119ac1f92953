using Google.Protobuf;
using KwaaiNet.CandelEngine.Compute.Backends;
using KwaaiNet.CandelEngine.Models;
using KwaaiNet.CandelEngine.Models.Formats;
using KwaaiNet.Protocol.Blocks;
using KwaaiNet.Protocol.Discovery;
using KwaaiNet.Protocol.Nodes;
using KwaaiNet.Protocol.Wire;
using KwaaiNet.ServiceDefaults.Hosting;
using KwaaiNet.ShardNode.Hosting;
using KwaaiNet.ShardNode.Lifecycle;
using KwaaiNet.ShardNode.Loading;
using KwaaiNet.ShardNode.Tests.Fakes;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace KwaaiNet.ShardNode.Tests.Hosts;

/// <summary>What a shard does about its device: warms it up, asks what fits, leaves when it fails.</summary>
public sealed class DeviceTests
{
    private static readonly int[] s_prompt = [1, 2, 3];

    [Fact]
    public async Task A_node_whose_device_fails_tells_its_sessions_leaves_and_ends_with_a_code_of_its_own()
    {
        FakeBlockSource source = new();
        MemoryDirectory directory = new();
        Task<int> program = Run(directory, source, "Shard:Blocks=0-5");
        SignedNodeRecord failing = Assert.Single(await directory.WaitForReadyAsync(1));
        await using TestShard other = await TestShard.StartAsync(directory, new FakeBlockSource(), "Shard:Blocks=0-5");
        await directory.WaitForReadyAsync(2);
        await using ChainClient client = new();
        Hop hop = new() { NodeId = failing.NodeId, Endpoint = failing.Record.Endpoints[0] };
        ByteString id = await client.OpenAsync(LoopHarness.Hash, [(hop, new BlockRange(0, 6))]);

        source.Stacks[0].DeviceFails = true;
        await client.PromptAsync(hop, id, s_prompt);

        SessionFailed failed = (await client.Events.NextAsync()).Failed;
        Assert.Equal((id, FailureCode.ComputeFailed), (failed.SessionId, failed.Code));
        IReadOnlyList<SignedNodeRecord> left = await directory.WaitAsync(records => records.Count == 1);
        Assert.Equal(other.NodeId, left[0].NodeId);
        Assert.Equal(NodeProgram.DeviceFailed, await program.WaitAsync(TestTimeout.Value, TestContext.Current.CancellationToken));
        Assert.Single(source.Stacks); // not loaded again on a device that has failed

        // What it had begun is run again elsewhere, to the same tokens.
        Hop healthy = new() { NodeId = other.NodeId, Endpoint = other.Endpoint };
        id = await client.OpenAsync(LoopHarness.Hash, [(healthy, new BlockRange(0, 6))]);
        await client.PromptAsync(healthy, id, s_prompt);
        Assert.Equal(LoopHarness.Reference(s_prompt, 16), await client.TokensAsync());
    }

    [Fact]
    public async Task A_node_whose_device_fails_ends_with_its_code_also_while_discovery_hangs()
    {
        FakeBlockSource source = new();
        MemoryDirectory directory = new();
        Task<int> program = Run(directory, source, "Shard:Blocks=0-5");
        SignedNodeRecord failing = Assert.Single(await directory.WaitForReadyAsync(1));
        await using ChainClient client = new();
        Hop hop = new() { NodeId = failing.NodeId, Endpoint = failing.Record.Endpoints[0] };
        ByteString id = await client.OpenAsync(LoopHarness.Hash, [(hop, new BlockRange(0, 6))]);

        directory.Hang();
        source.Stacks[0].DeviceFails = true;
        await client.PromptAsync(hop, id, s_prompt);

        Assert.Equal(NodeProgram.DeviceFailed, await program.WaitAsync(TestTimeout.Value, TestContext.Current.CancellationToken));
        directory.ComeBack();
    }

    [Fact]
    public async Task A_node_whose_device_hangs_is_left_and_comes_back_when_it_goes_on()
    {
        using SemaphoreSlim gate = new(0);
        FakeBlockSource source = new();
        MemoryDirectory directory = new();
        await using TestShard shard = await TestShard.StartAsync(directory, source, "Shard:Blocks=0-5", "Shard:HangSeconds=1");
        await directory.WaitForReadyAsync(1);
        await using ChainClient client = new();
        Hop hop = new() { NodeId = shard.NodeId, Endpoint = shard.Endpoint };
        ByteString id = await client.OpenAsync(LoopHarness.Hash, [(hop, new BlockRange(0, 6))], maxNewTokens: 1);
        source.Stacks[0].Gate = gate;
        await client.PromptAsync(hop, id, s_prompt);
        await directory.WaitAsync(records => records.Any(record => record.Record.Serving.Any(served => served.State == ServingState.Draining)));
        using HttpClient http = new();
        using HttpResponseMessage hung = await http.GetAsync(shard.Http + "/health", TestContext.Current.CancellationToken);
        Assert.Equal(System.Net.HttpStatusCode.ServiceUnavailable, hung.StatusCode);
        await client.PingAsync(hop, 1);
        gate.Release(100);

        // What it hears next is the token: the ping was not answered while nothing moved.
        Assert.Equal(ControlEvent.EventOneofCase.Token, (await client.Events.NextAsync()).EventCase);
        await directory.WaitForReadyAsync(1);
    }

    [Fact]
    public async Task A_device_that_fails_while_it_is_warmed_up_is_never_announced_ready()
    {
        FakeBlockSource source = new() { DeviceKind = "cuda", Make = range => new FakeStack(range.First, range.End) { DeviceFails = true } };
        MemoryDirectory directory = new();
        bool ready = false;
        Task seeing = directory.WaitAsync(records => ready |= records.Any(record => record.Record.Serving.Any(served => served.State == ServingState.Ready)));

        Assert.Equal(NodeProgram.DeviceFailed, await Run(directory, source, "Shard:Blocks=0-5").WaitAsync(TestTimeout.Value, TestContext.Current.CancellationToken));

        Assert.False(ready);
        Assert.False(seeing.IsCompleted);
        Assert.Single(source.Stacks);
    }

    [Fact]
    public async Task A_gpu_runs_every_shape_of_batch_before_the_node_is_healthy()
    {
        FakeBlockSource source = new() { DeviceKind = "cuda" };
        MemoryDirectory directory = new();
        await using TestShard shard = await TestShard.StartAsync(directory, source, "Shard:Blocks=2-4", "Shard:PrefillChunkRows=24", "Shard:MaxSessions=5");
        await directory.WaitForReadyAsync(1);

        int[][] shapes = [.. source.Stacks[0].Batches];
        foreach (int rows in new[] { 1, 2, 4, 8, 16, 24 }) Assert.Contains([rows], shapes);
        foreach (int sessions in new[] { 2, 4, 5 }) Assert.Contains(Enumerable.Repeat(1, sessions).ToArray(), shapes);
        Assert.Equal(source.Stacks[0].Options.KvBudgetBytes, source.Stacks[0].KvFreeBytes);
    }

    [Fact]
    public async Task A_processor_is_not_run_hot_for_shapes_that_need_no_code()
    {
        FakeBlockSource source = new();
        MemoryDirectory directory = new();
        await using TestShard shard = await TestShard.StartAsync(directory, source, "Shard:Blocks=2-4", "Shard:PrefillChunkRows=24");
        await directory.WaitForReadyAsync(1);

        Assert.DoesNotContain([24], source.Stacks[0].Batches);
    }

    [Fact]
    public async Task A_model_whose_hidden_states_outgrow_binary16_is_warmed_up_and_measured_in_float32()
    {
        FakeBlockSource source = new() { DeviceKind = "opencl", Make = range => new FakeStack(range.First, range.End, hiddenExceedsHalf: true) };
        MemoryDirectory directory = new();
        await using TestShard shard = await TestShard.StartAsync(directory, source, "Shard:Blocks=0-5");

        SignedNodeRecord record = Assert.Single(await directory.WaitForReadyAsync(1));

        Assert.True(record.Record.Serving[0].DecodeTokensPerSecond > 0);
    }

    [Theory]
    [InlineData(10_000, 0, 6)]
    [InlineData(750, 0, 5)]
    [InlineData(320, 1, 4)] // no room for the embedding that block 0 brings
    public async Task A_shard_that_chooses_takes_what_the_device_has_room_for(long bytes, int first, int end)
    {
        MemoryDirectory directory = new();
        await using TestShard shard = await TestShard.StartAsync(directory, new FakeBlockSource { DeviceBytes = bytes });

        SignedNodeRecord record = Assert.Single(await directory.WaitForReadyAsync(1));

        Assert.Equal(((uint)first, (uint)end), (record.Record.Serving[0].FirstBlock, record.Record.Serving[0].EndBlock));
    }

    [Theory]
    [InlineData("Shard:Blocks=0-5", 800, "850", "Shard:Blocks")]
    [InlineData("Shard:ExpectedShards=3", 99, "100", "Free some")]
    public async Task Blocks_that_do_not_fit_are_refused_with_both_numbers(string option, long bytes, string needed, string remedy)
    {
        FakeBlockSource source = new() { DeviceBytes = bytes };
        await using WebApplication app = Compose(new MemoryDirectory(), source, option);
        await app.StartAsync(TestContext.Current.CancellationToken);
        ShardRuntime runtime = app.Services.GetServices<IHostedService>().OfType<ShardRuntime>().Single();

        InsufficientMemoryException refused = await Assert.ThrowsAsync<InsufficientMemoryException>(
            () => runtime.ExecuteTask!.WaitAsync(TestTimeout.Value, TestContext.Current.CancellationToken));

        foreach (string part in new[] { needed, $"{bytes}", remedy, "Shard:KvBudgetMegabytes" }) Assert.Contains(part, refused.Message, StringComparison.Ordinal);
        Assert.Empty(source.Stacks);
    }

    [Fact]
    public async Task A_chain_of_a_processor_and_an_accelerator_answers_what_the_processor_answers()
    {
        // ILGPU's CPU accelerator has the last number everywhere.
        int simulator = ComputeBackends.Devices().Devices[^1].Index!.Value;
        MemoryDirectory directory = new();
        await using TestShard whole = await TestShard.StartAsync(directory, "Shard:Blocks=0-5");
        await using TestShard first = await TestShard.StartAsync(directory, "Shard:Blocks=0-2");
        await using TestShard second = await TestShard.StartAsync(directory, "Shard:Blocks=3-5", "Shard:Backend=ilgpu", $"Shard:Device={simulator}");
        IReadOnlyList<SignedNodeRecord> records = await directory.WaitForReadyAsync(3);
        Assert.Equal(["cpu", "cpu", "ilgpu"], records.Select(record => record.Record.Serving[0].Backend).Order());
        using ModelFile file = ModelFile.Open(TinyModel.Path);
        await using ChainClient client = new();

        List<int> expected = await GenerateAsync(client, file.WeightsHash, (Hop(whole), new BlockRange(0, 6)));
        List<int> mixed = await GenerateAsync(client, file.WeightsHash, (Hop(first), new BlockRange(0, 3)), (Hop(second), new BlockRange(3, 6)));
        List<int> swapped = await GenerateAsync(client, file.WeightsHash, (Hop(whole), new BlockRange(0, 4)), (Hop(second), new BlockRange(4, 6)));

        Assert.True(expected.Distinct().Count() > 2, "The model draws nothing but one token; it shows nothing.");
        Assert.Equal(expected, mixed);
        Assert.Equal(expected, swapped);
    }

    private static Hop Hop(TestShard shard) => new() { NodeId = shard.NodeId, Endpoint = shard.Endpoint };

    private static async Task<List<int>> GenerateAsync(ChainClient client, string hash, params (Hop Hop, BlockRange Range)[] chain)
    {
        ByteString id = await client.OpenAsync(hash, chain);
        await client.PromptAsync(chain[0].Hop, id, [1, 17, 4, 33, 2, 60, 5]);
        List<int> tokens = await client.TokensAsync();
        foreach ((Hop hop, _) in chain) await client.CloseAsync(hop, id);
        foreach ((Hop _, _) in chain) Assert.NotNull((await client.Events.NextAsync()).Closed);
        return tokens;
    }

    private static Task<int> Run(MemoryDirectory directory, FakeBlockSource source, params string[] options) =>
        NodeProgram.RunAsync([], _ => Compose(directory, source, options));

    private static WebApplication Compose(MemoryDirectory directory, FakeBlockSource source, params string[] options)
    {
        string[] args =
        [
            "--Node:GrpcPort=0", "--Node:HttpPort=0", "--Shard:Model=tiny", "--Shard:DrainSeconds=1", "--Node:HeartbeatMilliseconds=200",
            $"--Shard:ModelPath={TinyModel.Path}", .. options.Select(option => "--" + option),
        ];
        return ShardHost.Build(args, builder =>
        {
            builder.Logging.ClearProviders();
            builder.Services.AddSingleton<INodeDirectory>(directory);
            builder.Services.AddSingleton<IBlockSource>(source);
        });
    }
}
