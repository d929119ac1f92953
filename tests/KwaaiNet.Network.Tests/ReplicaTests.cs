using System.Text.Json;
using KwaaiNet.Cli.Network;
using KwaaiNet.Cli.State;
using KwaaiNet.Network.Tests.Harness;

namespace KwaaiNet.Network.Tests;

/// <summary>Two shards hold every block: whichever of them goes in the middle of an answer, its reader sees nothing of it.</summary>
public sealed class ReplicaTests(ReplicaTests.Replicated replicated) : IClassFixture<ReplicaTests.Replicated>
{
    private const string Prompt = "Hello!";
    private const int Tokens = 1_500;
    private const int Positions = 3;
    private const int Replicas = 2;
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(90);

    private TestNetwork Network => replicated.Network;

    [Fact]
    public async Task Shards_that_start_at_once_hold_every_block_as_often_as_was_asked_for()
    {
        await AllHoldAsync();
        NetworkReport report = await NetworkReporter.LookAsync(Network.Home, NetworkStateFile.Read(Network.Home)!, TestContext.Current.CancellationToken);
        Assert.Equal((true, Replicas), (report.Complete, report.Replicas));
        Assert.Equal([new CoverageReport("0-5", Replicas)], report.Coverage);
        Assert.Equal(Positions * Replicas, report.Nodes.Count(node => node.Blocks is not null));
    }

    [Fact]
    public async Task A_shard_killed_at_any_position_in_the_middle_of_a_stream_changes_no_word_and_is_back_by_itself()
    {
        string undisturbed = await Network.AnswerAsync(Prompt, Tokens);
        for (int position = 0; position < Positions; position++)
        {
            (ChatCall.EventStream stream, string begun, string lost) = await InTheMiddleAsync(position);
            await using ChatCall.EventStream disposed = stream;
            int restarts = Network.StateOf(lost).Restarts;
            int pid = Network.FileOf(lost).Pid;
            string nodeId = Network.FileOf(lost).NodeId;
            await Network.KillAsync(lost);
            await ContinuesAsync(stream, begun, undisturbed);

            await Network.RestartedAsync(lost, pid, s_patience);
            await AllHoldAsync();
            Assert.Equal((nodeId, restarts + 1), (Network.FileOf(lost).NodeId, Network.StateOf(lost).Restarts));
        }
    }

    [Fact]
    public async Task A_shard_frozen_at_any_position_in_the_middle_of_a_stream_changes_no_word()
    {
        Assert.SkipUnless(ProcessSignal.IsSupported, ProcessSignal.SkipReason);
        string undisturbed = await Network.AnswerAsync(Prompt, Tokens);
        for (int position = 0; position < Positions; position++)
        {
            (ChatCall.EventStream stream, string begun, string shard) = await InTheMiddleAsync(position);
            await using ChatCall.EventStream disposed = stream;
            int frozen = Network.FileOf(shard).Pid;
            await ProcessSignal.FreezeAsync(frozen);
            try
            {
                await ContinuesAsync(stream, begun, undisturbed);
            }
            finally
            {
                await ProcessSignal.ThawAsync(frozen);
            }

            await AllHoldAsync();
        }
    }

    private static async Task ContinuesAsync(ChatCall.EventStream stream, string begun, string undisturbed)
    {
        (string rest, JsonElement? error, bool done) = await stream.RestAsync();
        Assert.Null(error);
        Assert.True(done);
        Assert.Equal(undisturbed, begun + rest);
    }

    /// <summary>Every block is usable on as many nodes as were asked for: the API says so, and so does the map.</summary>
    private async Task AllHoldAsync()
    {
        await TestNetwork.UntilAsync(async () => await Network.ReplicasAsync() == Replicas, s_patience, "every block lies on two usable nodes");
        JsonElement model = (await Network.GetAsync(NetworkPlan.DiscoveryName, "/network")).GetProperty("models").EnumerateArray().Single();
        Assert.Equal(Replicas, model.GetProperty("replicas").GetInt32());
    }

    /// <summary>A stream that has begun and not ended, and the shard it runs through at a position of its chain: the one of its range's holders that keeps KV for it.</summary>
    private async Task<(ChatCall.EventStream Stream, string Begun, string Shard)> InTheMiddleAsync(int position)
    {
        // On a machine that stands still between two steps of ours a stream may be over before we look: then another one.
        for (int tries = 1; ; tries++)
        {
            ChatCall.EventStream stream = await Network.StreamAsync(Prompt, Tokens);
            string begun = await stream.FirstTextAsync();
            (string Shard, JsonElement Status)[] shards = await Task.WhenAll(Network.Shards.Select(async shard => (shard, await Network.GetAsync(shard, "/status"))));
            string[] used =
            [
                .. shards.Where(shard => shard.Status.GetProperty("sessions").GetInt32() > 0)
                    .OrderBy(shard => shard.Status.GetProperty("blocks").GetString(), StringComparer.Ordinal).Select(shard => shard.Shard),
            ];
            if (used.Length == Positions) return (stream, begun, used[position]);

            await stream.DisposeAsync();
            Assert.True(tries < 10, $"no stream was met in the middle: {used.Length} shards have a session");
        }
    }

    /// <summary>Started once: what one test ends is back before the next.</summary>
    public sealed class Replicated : IAsyncLifetime
    {
        internal TestNetwork Network { get; private set; } = null!;

        public async ValueTask InitializeAsync() => Network = await TestNetwork.StartAsync(Positions, TestModels.Endless, Replicas);

        public ValueTask DisposeAsync() => Network.DisposeAsync();
    }
}
