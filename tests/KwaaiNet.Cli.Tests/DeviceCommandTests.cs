using System.Text.Json;
using KwaaiNet.CandelEngine.Compute;
using KwaaiNet.CandelEngine.Compute.Backends;
using KwaaiNet.CandelEngine.Compute.Devices;
using KwaaiNet.Cli.Bench;
using KwaaiNet.Cli.Commands;
using KwaaiNet.Cli.Devices;
using KwaaiNet.Cli.Installation;
using KwaaiNet.Cli.Output;

namespace KwaaiNet.Cli.Tests;

/// <summary>devices, and what bench makes of them.</summary>
public sealed class DeviceCommandTests
{
    private static readonly ListedDevice s_processor = new() { Backend = "cpu", Device = new ComputeDevice("cpu", "A processor", 1L << 34), IsGpu = false, Architecture = "X64" };

    private static readonly ListedDevice s_card = new()
    {
        Backend = "ilgpu",
        Index = 0,
        Device = new ComputeDevice("cuda", "A card\u001b[31m", 3L << 30),
        IsGpu = true,
        FreeBytes = 1L << 30,
        Architecture = "sm_90",
        Driver = "CUDA 13.0",
    };

    private static readonly ListedDevice s_old = new()
    {
        Backend = "ilgpu",
        Index = 1,
        Device = new ComputeDevice("opencl", "An old card", 1L << 30),
        IsGpu = true,
        Problem = "It speaks OpenCL C 1.2; ILGPU needs OpenCL C 2.0 or later.",
    };

    private static readonly DeviceList s_list = new(
        [s_processor, s_card, s_old], [new DriverProblem("OpenCL", "there is no loader.", "Install one.")], s_card, "it is the first GPU that can be used.");

    [Fact]
    public void Devices_are_listed_with_what_auto_takes_and_what_is_wrong()
    {
        using TestTerminal terminal = new();

        Assert.Equal(ExitCode.Success, DevicesCommand.List(terminal.Context, s_list, json: false));

        string card = Line(terminal, "sm_90");
        foreach (string part in new[] { "*", "cuda", "ilgpu", "3 GiB", "1 GiB", "CUDA 13.0" }) Assert.Contains(part, card, StringComparison.Ordinal);
        Assert.DoesNotContain("*", Line(terminal, "A processor"), StringComparison.Ordinal);
        Assert.Contains("'auto' takes A card", terminal.Output, StringComparison.Ordinal);
        Assert.Contains("first GPU that can be used", terminal.Output, StringComparison.Ordinal);
        Assert.Contains("An old card: It speaks OpenCL C 1.2", terminal.Output, StringComparison.Ordinal);
        Assert.Contains("OpenCL: there is no loader. Install one.", terminal.Output, StringComparison.Ordinal);
        Assert.DoesNotContain('\u001b', terminal.Output); // a driver's words do not steer a terminal
    }

    [Fact]
    public void For_programs_the_list_is_JSON()
    {
        using TestTerminal terminal = new();

        Assert.Equal(ExitCode.Success, DevicesCommand.List(terminal.Context, s_list, json: true));

        JsonElement json = JsonDocument.Parse(terminal.Output).RootElement;
        Assert.Equal(("ilgpu", 0), (json.GetProperty("auto").GetProperty("backend").GetString(), json.GetProperty("auto").GetProperty("device").GetInt32()));
        JsonElement[] devices = [.. json.GetProperty("devices").EnumerateArray()];
        Assert.Equal(JsonValueKind.Null, devices[0].GetProperty("device").ValueKind);
        Assert.Equal((1L << 30, "sm_90", true), (devices[1].GetProperty("freeBytes").GetInt64(), devices[1].GetProperty("architecture").GetString(), devices[1].GetProperty("auto").GetBoolean()));
        Assert.StartsWith("It speaks", devices[2].GetProperty("problem").GetString(), StringComparison.Ordinal);
        Assert.Equal("Install one.", json.GetProperty("problems")[0].GetProperty("remedy").GetString());
    }

    [Fact]
    public void A_device_that_is_not_there_is_refused_with_those_that_are()
    {
        Assert.Equal([s_old], DeviceOption.Narrow(s_list, 1).Devices);
        CommandFailure failure = Assert.Throws<CommandFailure>(() => DeviceOption.Narrow(s_list, 7));
        Assert.Contains("no device 7", failure.Message, StringComparison.Ordinal);
        Assert.Contains("one of 0, 1", failure.Remedy, StringComparison.Ordinal);

        Assert.Contains("the backend is cpu", Assert.Throws<CommandFailure>(() => DeviceOption.Open("cpu", 0, threads: 1)).Message, StringComparison.Ordinal);
        Assert.Contains("number 1000", Assert.Throws<CommandFailure>(() => DeviceOption.Open("ilgpu", 1000, threads: 1)).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void Bench_measures_the_device_it_ran_on_and_decodes_the_same_ids(int batch)
    {
        string model = Model();
        CancellationToken stop = TestContext.Current.CancellationToken;

        EngineBenchResult processor = EngineBench.Run(new EngineBenchOptions(model, "cpu", null, Threads: 1, Prompt: 5, Generate: 3, batch, KvFormat.F16), (_, _) => { }, stop);
        EngineBenchResult simulator = EngineBench.Run(new EngineBenchOptions(model, "ilgpu", Simulator(), Threads: 1, Prompt: 5, Generate: 3, batch, KvFormat.F32), (_, _) => { }, stop);

        Assert.Equal(("cpu", "cpu"), (processor.Backend, processor.DeviceKind));
        Assert.Equal(("ilgpu", "cpu-accelerator"), (simulator.Backend, simulator.DeviceKind));
        Assert.Equal(3, processor.Ids.Count);
        Assert.Equal(processor.Ids, simulator.Ids);
        foreach (EngineBenchResult result in new[] { processor, simulator })
            Assert.True(result.DecodeTokensPerSecond > 0 && result.PrefillTokensPerSecond > 0 && result.DeviceBandwidthGigabytesPerSecond > 0 && result.BandwidthShare > 0);
    }

    [Fact]
    public void Parity_finds_the_simulator_where_the_processor_is()
    {
        EngineParityResult result = EngineParity.Run(
            new EngineParityOptions(Model(), "ilgpu", Simulator(), Prompt: 4, Text: "KwaaiNet is", Generate: 5), (_, _) => { }, TestContext.Current.CancellationToken);

        Assert.True(result.Passed);
        Assert.Equal((5, 5, (int?)null), (result.Same, result.Ids.Count, result.PartedAt));
        Assert.InRange(result.MaxDivergence, 0, EngineParityResult.MostDivergence);
    }

    [Theory]
    [InlineData(null, 0.5, 0.0, true)] // equal ids are enough
    [InlineData(7, 0.0005, 0.0009, true)] // a near tie turned
    [InlineData(7, 0.002, 0.0009, false)]
    [InlineData(7, 0.0005, 0.01, false)]
    public void Parity_passes_where_ids_are_equal_or_part_at_what_rounding_explains(int? parted, double mean, double there, bool passes) =>
        Assert.Equal(passes, new EngineParityResult
        {
            Model = "m",
            Weights = "Q4_0",
            Device = "d",
            DeviceKind = "cuda",
            Processor = "p",
            Generate = 10,
            Same = 9,
            PartedAt = parted,
            LeadAtParting = 0.1,
            MeanDivergence = mean,
            MaxDivergence = 1,
            MaxDivergenceWhereParted = there,
            Ids = [],
        }.Passed);

    private static string Line(TestTerminal terminal, string part) => terminal.Output.Split('\n').First(line => line.Contains(part, StringComparison.Ordinal));

    // ILGPU's CPU accelerator has the last number everywhere.
    private static int Simulator() => ComputeBackends.Devices().Devices[^1].Index!.Value;

    private static string Model()
    {
        string path = Path.Combine(RepositoryFolder.Find(AppContext.BaseDirectory) ?? "", "models", "kwaai-demo.gguf");
        Assert.SkipUnless(File.Exists(path), "The working copy has no models/kwaai-demo.gguf.");
        return path;
    }
}
