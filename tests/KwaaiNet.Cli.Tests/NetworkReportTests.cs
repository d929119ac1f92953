using KwaaiNet.Cli.Commands;
using KwaaiNet.Cli.Network;
using KwaaiNet.Cli.Output;
using KwaaiNet.Cli.State;

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

    [Fact]
    public void Tables_are_not_folded_on_a_screen_of_eighty_columns()
    {
        using TestTerminal terminal = new(interactive: true);
        Spectre.Console.Profile screen = terminal.Context.Terminal.Console.Profile;
        screen.Width = 80;
        screen.Capabilities.Ansi = false;
        NodeReport shard = new()
        {
            Name = "shard-10",
            State = "draining",
            Pid = 1234567,
            Address = "https://127.0.0.1:65535",
            MemoryBytes = 1_072_693_248,
            Blocks = "100-125",
            Backend = "ilgpu",
            Device = "A graphics card with a long name",
            DecodeTokensPerSecond = 12345.6,
            Sessions = 100,
        };
        StatusCommand.Show(terminal.Context.Terminal, new NetworkReport(true, "http://127.0.0.1:1", "kwaai-demo", true, true, 2, [new CoverageReport("0-125", 2)], [], [shard]));
        Assert.Contains("Every block lies on 2 nodes.", terminal.Output, StringComparison.Ordinal);
        Assert.Matches("shard-10 +│ draining +│ 100-125 +│ ilgpu +│ 12345.6 +│ 100 +│ 1023 MiB ", terminal.Output);

        string path = $"/{new string('m', 100)}/kwaai-demo.gguf";
        ModelsCommand.Show(terminal.Context, [new Models.LocalModel("kwaai-demo", path, 1_072_693_248, 126, "Q8_0", 131072, null)], []);
        Assert.Matches("kwaai-demo +│ 1023 MiB +│ Q8_0 +│ 126 +│ 131072 ", terminal.Output);
        Assert.Contains($"kwaai-demo: {path}", terminal.Output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("--shards", "x")]
    [InlineData("--shards", "0")]
    [InlineData("--replicas", "0")]
    [InlineData("--port", "65536")]
    [InlineData("--port", "99999999999")]
    [InlineData("--set", "x")]
    [InlineData("--set", "=x")]
    public void Wrong_arguments_are_named_and_nothing_throws(string option, string value)
    {
        using TestTerminal terminal = new();
        System.CommandLine.ParseResult parsed = UpCommand.Create(terminal.Context).Parse([option, value]);
        Assert.Contains(value, Assert.Single(parsed.Errors).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(0, "0 B")]
    [InlineData(1023, "1023 B")]
    [InlineData(1024, "1 KiB")]
    [InlineData(12_163_482, "11.6 MiB")]
    [InlineData(5L << 40, "5 TiB")]
    public void Bytes_are_for_people(long bytes, string text) => Assert.Equal(text, ByteSize.Of(bytes));

    [Fact]
    public void A_strangers_file_of_the_same_name_does_not_make_a_model_complete()
    {
        using TestTerminal terminal = new();
        NetworkState state = new()
        {
            Supervisor = ProcessStamp.OfThisProcess(),
            Url = "http://127.0.0.1:1",
            Model = "m",
            ModelPath = "m.gguf",
            WeightsHash = "own",
            Network = "local",
            ControlPipe = "none",
            Nodes = [],
        };
        DiscoveredRange gap = new(0, 2, 0);
        DiscoveredRange held = new(2, 6, 1);
        DiscoveryMap map = new(true, [],
        [
            Model("local", "a stranger's", complete: true, new DiscoveredRange(0, 6, 3)),
            Model("another", "own", complete: true, new DiscoveredRange(0, 6, 3)),
            Model("local", "own", complete: false, gap, held),
        ]);

        NetworkReport report = NetworkReporter.Report(terminal.Context.Home, state, map);
        Assert.Equal((false, 0), (report.Complete, report.Replicas));
        Assert.Equal(["0-1"], report.Gaps);
        Assert.Equal([new CoverageReport("0-1", 0), new CoverageReport("2-5", 1)], report.Coverage);

        DiscoveredModel Model(string network, string hash, bool complete, params DiscoveredRange[] coverage) =>
            new(network, "m", hash, 6, complete, coverage.Min(range => range.Nodes), coverage, [.. coverage.Where(range => range.Nodes == 0)]);
    }

    [Fact]
    public void A_plan_names_every_node_and_gives_each_its_own_settings()
    {
        NetworkPlan plan = NetworkPlan.Create(
            new NetworkOptions { Shards = 2, Replicas = 3, Port = 0, Discovery = NetworkOptions.Redis, RedisConnection = "r:1", Settings = new Dictionary<string, string> { ["Node:TtlMilliseconds"] = "900" } },
            new Models.LocalModel("m", "/models/m.gguf", 1, 6, "Q8_0", 512, null));
        Assert.Equal(["shard-1", "shard-2", "shard-3", "shard-4", "shard-5", "shard-6"], plan.Shards.Select(shard => shard.Name));
        Assert.Equal("r:1", plan.Discovery.Settings["ConnectionStrings:registry"]);
        Assert.All(plan.Shards, shard => Assert.Equal("2", shard.Settings["Shard:ExpectedShards"]));
        Assert.All(plan.Shards.Append(plan.Api).Append(plan.Discovery), node => Assert.Equal("900", node.Settings["Node:TtlMilliseconds"]));
        Assert.Equal("/models/m.gguf", plan.Api.Settings["Api:Models:0:Path"]);
    }
}
