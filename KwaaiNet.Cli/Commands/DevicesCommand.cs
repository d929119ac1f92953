using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using KwaaiNet.CandelEngine.Compute;
using KwaaiNet.CandelEngine.Compute.Backends;
using KwaaiNet.CandelEngine.Compute.Checks;
using KwaaiNet.CandelEngine.Compute.Devices;
using KwaaiNet.Cli.Devices;
using KwaaiNet.Cli.Output;
using Spectre.Console;

namespace KwaaiNet.Cli.Commands;

/// <summary><c>kwaainet devices</c>: what this machine can compute on, and what <c>auto</c> takes.</summary>
internal static class DevicesCommand
{
    public static Command Create(CommandContext context)
    {
        Option<bool> json = new("--json") { Description = "For programs." };
        Option<bool> check = new("--check") { Description = "Run small models of every kind of weights on the devices, and compare with the processor." };
        Option<int?> device = DeviceOption.Create("Only the accelerator of this number.");

        // For tools/gpu/measure.sh: whether trimming has left the compiler whole, asked where there is no card.
        Option<bool> compile = new("--compile") { Hidden = true };
        Command command = new("devices", "List what this machine can compute on: GPUs, ILGPU's accelerators, the processor.") { json, check, device, compile };
        command.SetWork(context, (parsed, cancellationToken) =>
        {
            if (parsed.GetValue(compile)) return Task.FromResult(Compile(context));

            DeviceList list = DeviceOption.Narrow(ComputeBackends.Devices(), parsed.GetValue(device));
            return Task.FromResult(parsed.GetValue(check)
                ? Check(context, list, parsed.GetValue(device) is not null, parsed.GetValue(json), cancellationToken)
                : List(context, list, parsed.GetValue(json)));
        });
        return command;
    }

    internal static int List(CommandContext context, DeviceList list, bool json)
    {
        if (json)
        {
            context.Terminal.Line(JsonSerializer.Serialize(DeviceReport.Of(list), CommandJson.Options));
            return ExitCode.Success;
        }

        Table table = new Table().Border(TableBorder.Minimal).AddColumns("", "device", "backend", "kind", "name", "memory", "free", "architecture", "driver");
        foreach (ListedDevice device in list.Devices)
        {
            table.AddRow(new[]
            {
                device == list.Auto ? "*" : "",
                device.Index?.ToString(CultureInfo.InvariantCulture) ?? "-",
                device.Backend,
                device.Device.Kind,
                Terminal.Plain(device.Device.Name),
                ByteSize.Of(device.Device.MemoryBytes),
                device.FreeBytes is { } free ? ByteSize.Of(free) : "-",
                device.Architecture ?? "-",
                Terminal.Plain(device.Driver ?? "-"),
            }.Select(cell => new Text(cell)));
        }

        context.Terminal.Table(table);
        context.Terminal.Line($"  * 'auto' takes {Terminal.Plain(list.Auto.Device.Name)}: {Terminal.Plain(list.AutoReason)}");
        foreach (ListedDevice device in list.Devices.Where(device => device.Problem is not null))
            context.Terminal.Warning($"  {device.Device.Name}: {device.Problem}");
        foreach (DriverProblem problem in list.Problems)
            context.Terminal.Line(Terminal.Plain($"  {problem.Api}: {problem.Message} {problem.Remedy}"));
        return ExitCode.Success;
    }

    private static int Compile(CommandContext context)
    {
        try
        {
            IReadOnlyList<string> kernels = CudaCompilation.Run();
            context.Terminal.Line($"{kernels.Count} kernels compile for CUDA: {string.Join(", ", kernels)}");
            return ExitCode.Success;
        }
        catch (ComputeException exception)
        {
            throw new CommandFailure(exception.Message, "report it, with the version of kwaainet.");
        }
    }

    // Told to check, it checks what may be computed on: the simulator only where nothing else is there, or where it was asked for.
    private static int Check(CommandContext context, DeviceList list, bool asked, bool json, CancellationToken cancellationToken)
    {
        List<ListedDevice> wanted = [.. list.Devices.Where(device => device.Index is not null && (asked || (device.IsGpu && device.Problem is null)))];
        if (wanted.Count == 0) wanted = [.. list.Devices.Where(device => device.Index is not null).TakeLast(1)];

        List<DeviceCheckReport> reports = [];
        foreach (ListedDevice device in wanted)
        {
            if (!json) context.Terminal.Line($"{device.Device.Kind} {device.Index}, {Terminal.Plain(device.Device.Name)}");
            using IComputeBackend backend = DeviceOption.Open(device.Backend, device.Index, threads: 0);
            foreach (DeviceCheckResult result in DeviceCheck.Run(backend, cancellationToken: cancellationToken))
            {
                reports.Add(new DeviceCheckReport(device.Index!.Value, device.Device.Name, result.Weights.ToString(), result.Passed, result.RelativeError, result.Bound, result.SameBits, result.Problem));
                if (!json) context.Terminal.Line(Describe(result));
            }
        }

        bool passed = reports.TrueForAll(report => report.Passed);
        if (json) context.Terminal.Line(JsonSerializer.Serialize(new { passed, checks = reports }, CommandJson.Options));
        return passed
            ? ExitCode.Success
            : throw new CommandFailure(
                "A device computes something else than the processor does.",
                "a newer driver; until then use --backend cpu. Please report it, with this output.");
    }

    private static string Describe(DeviceCheckResult result) => string.Create(
        CultureInfo.InvariantCulture,
        $"  {(result.Passed ? "ok    " : "WRONG ")} {result.Weights,-5} error {result.RelativeError:0.0e+0} of at most {result.Bound:0.0e+0}; {(result.SameBits ? "the same bits every way" : "bits differ between prefill, decode and batches")}{(result.Problem is { } problem ? ": " + Terminal.Plain(problem) : "")}");
}
