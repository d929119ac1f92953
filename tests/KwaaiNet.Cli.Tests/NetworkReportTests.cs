using KwaaiNet.Cli.Commands;
using KwaaiNet.Cli.Network;
using KwaaiNet.Cli.Output;

namespace KwaaiNet.Cli.Tests;

public sealed class NetworkReportTests
{
    [Fact]
    public async Task Status_without_a_network_is_json_too_and_its_exit_code_says_so()
    {
        using TestTerminal terminal = new();
        Assert.Equal(ExitCode.NotRunning, await StatusCommand.RunAsync(terminal.Context, json: true, TestContext.Current.CancellationToken));
        Assert.Contains("\"running\": false", terminal.Output, StringComparison.Ordinal);
        await Assert.ThrowsAsync<CommandFailure>(() => StatusCommand.RunAsync(terminal.Context, json: false, TestContext.Current.CancellationToken));
    }

    [Theory]
    [InlineData(0, "0 B")]
    [InlineData(1023, "1023 B")]
    [InlineData(1024, "1 KiB")]
    [InlineData(12_163_482, "11.6 MiB")]
    [InlineData(5L << 40, "5 TiB")]
    public void Bytes_are_for_people(long bytes, string text) => Assert.Equal(text, ByteSize.Of(bytes));

    [Fact]
    public void A_plan_names_every_node_and_gives_each_its_own_settings()
    {
        NetworkPlan plan = NetworkPlan.Create(
            new NetworkOptions { Shards = 2, Port = 0, Discovery = NetworkOptions.Redis, RedisConnection = "r:1", Settings = new Dictionary<string, string> { ["Node:TtlMilliseconds"] = "900" } },
            new Models.LocalModel("m", "/models/m.gguf", 1, 6, "Q8_0", 512, null));
        Assert.Equal(["shard-1", "shard-2"], plan.Shards.Select(shard => shard.Name));
        Assert.Equal("r:1", plan.Discovery.Settings["ConnectionStrings:registry"]);
        Assert.All(plan.Shards, shard => Assert.Equal("2", shard.Settings["Shard:ExpectedShards"]));
        Assert.All(plan.Shards.Append(plan.Api).Append(plan.Discovery), node => Assert.Equal("900", node.Settings["Node:TtlMilliseconds"]));
        Assert.Equal("/models/m.gguf", plan.Api.Settings["Api:Models:0:Path"]);
    }
}
