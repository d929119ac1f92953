using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using KwaaiNet.CandelEngine.Compute;
using KwaaiNet.CandelEngine.Files;
using KwaaiNet.Cli.Bench;
using KwaaiNet.Cli.Devices;
using KwaaiNet.Cli.Models;
using KwaaiNet.Cli.Output;
using Spectre.Console;

namespace KwaaiNet.Cli.Commands;

/// <summary><c>kwaainet bench</c>: how fast this machine runs a model.</summary>
internal static class BenchCommand
{
    public static Command Create(CommandContext context) => new("bench", "Measure how fast this machine runs a model.") { Engine(context), BenchNetworkCommand.Create(context), BenchSoakCommand.Create(context), Parity(context) };

    private static Command Engine(CommandContext context)
    {
        Option<string?> model = new("--model", "-m") { Description = "A model's name or a file's path. Default: the demo model." };
        Option<string> backend = new("--backend") { Description = "cpu, ilgpu or auto.", DefaultValueFactory = _ => "cpu" };
        backend.AcceptOnlyFromAmong("cpu", "ilgpu", "auto");
        Option<int?> device = DeviceOption.Create("The accelerator to run on, by its number in 'kwaainet devices'; implies --backend ilgpu.");
        Option<int> threads = Number("--threads", "Threads that compute; 0 for as many as the machine has.", 0, 0, 1024, "-t");
        Option<int> prompt = Number("--prompt", "Tokens in the prompt.", 512, 1, 1 << 20, "-p");
        Option<int> generate = Number("--generate", "Tokens decoded after it.", 64, 1, 1 << 20, "-n");
        Option<int> batch = Number("--batch", "Sessions decoded together.", 1, 1, 4096, "-b");
        Option<string> kv = new("--kv") { Description = "How keys and values are kept: f16, f32 or q8.", DefaultValueFactory = _ => "f16" };
        kv.AcceptOnlyFromAmong("f16", "f32", "q8");
        Option<bool> json = new("--json") { Description = "For programs." };
        Command command = new("engine", "Run the whole model in this process, with no network, and print the rates.") { model, backend, device, threads, prompt, generate, batch, kv, json };
        command.SetWork(context, (parsed, cancellationToken) =>
        {
            LocalModel found = LocalModels.Find(context.Home, parsed.GetValue(model));
            EngineBenchOptions options = new(
                found.Path,
                parsed.GetValue(device) is null || parsed.GetResult(backend) is { Implicit: false } ? parsed.GetValue(backend)! : "ilgpu",
                parsed.GetValue(device),
                parsed.GetValue(threads),
                parsed.GetValue(prompt),
                parsed.GetValue(generate),
                parsed.GetValue(batch),
                Enum.Parse<KvFormat>(parsed.GetValue(kv)!, ignoreCase: true));
            EngineBenchResult result = AsShown(context, progress => EngineBench.Run(options, progress, cancellationToken));
            if (parsed.GetValue(json)) context.Terminal.Line(JsonSerializer.Serialize(result, CommandJson.Options));
            else Show(context, result);
            return Task.FromResult(ExitCode.Success);
        });
        return command;
    }

    internal static Option<int> Number(string name, string description, int otherwise, int least, int most, params string[] aliases)
    {
        Option<int> option = new(name, aliases) { Description = description, DefaultValueFactory = _ => otherwise };
        option.Validators.Add(result =>
        {
            if (result.Tokens.Count == 1 && int.TryParse(result.Tokens[0].Value, NumberStyles.Integer, CultureInfo.InvariantCulture, out int value) && (value < least || value > most))
                result.AddError($"{name} is {value}; it must be from {least} to {most}.");
        });
        return option;
    }

    private static Command Parity(CommandContext context)
    {
        Option<string?> model = new("--model", "-m") { Description = "A model's name or a file's path. Default: the demo model." };
        Option<string> backend = new("--backend") { Description = "ilgpu or auto.", DefaultValueFactory = _ => "ilgpu" };
        backend.AcceptOnlyFromAmong("ilgpu", "auto");
        Option<int?> device = DeviceOption.Create("The accelerator to compare, by its number in 'kwaainet devices'.");
        Option<int> prompt = Number("--prompt", "Tokens in the prompt.", 32, 1, 1 << 20, "-p");
        Option<string?> text = new("--text") { Description = "A prompt in words instead." };
        Option<int> generate = Number("--generate", "Tokens decoded after it, greedily.", 256, 1, 1 << 20, "-n");
        Option<bool> json = new("--json") { Description = "For programs." };
        Command command = new("parity", "Decode on an accelerator and on the processor, and compare what they choose.") { model, backend, device, prompt, text, generate, json };
        command.SetWork(context, (parsed, cancellationToken) =>
        {
            LocalModel found = LocalModels.Find(context.Home, parsed.GetValue(model));
            EngineParityOptions options = new(
                found.Path, parsed.GetValue(backend)!, parsed.GetValue(device), parsed.GetValue(prompt), parsed.GetValue(text), parsed.GetValue(generate));
            EngineParityResult result = AsShown(context, progress => EngineParity.Run(options, progress, cancellationToken));
            if (parsed.GetValue(json)) context.Terminal.Line(JsonSerializer.Serialize(result, CommandJson.Options));
            else Show(context, result);
            return result.Passed
                ? Task.FromResult(ExitCode.Success)
                : throw new CommandFailure(
                    $"{result.Device} chooses other tokens than the processor, and farther away than rounding goes.",
                    $"'{CommandName.For("devices --check")}' says which weights it computes wrongly; until then use --backend cpu.");
        });
        return command;
    }

    private static T AsShown<T>(CommandContext context, Func<Action<string, double>, T> run)
    {
        try
        {
            if (!context.Terminal.Interactive) return run((_, _) => { });

            return context.Terminal.Console.Progress().AutoClear(true).Start(shown =>
            {
                Dictionary<string, ProgressTask> tasks = new(StringComparer.Ordinal);
                return run((stage, fraction) =>
                {
                    if (!tasks.TryGetValue(stage, out ProgressTask? task)) tasks.Add(stage, task = shown.AddTask(stage, maxValue: 1));
                    task.Value = fraction;
                });
            });
        }
        catch (Exception exception) when (exception is ModelFormatException or ComputeUnavailableException or ComputeException or KvExhaustedException or InsufficientMemoryException or ArgumentException)
        {
            throw new CommandFailure(exception.Message, "take another model, a shorter --prompt, a smaller --batch, or another --backend.");
        }
    }

    private static void Show(CommandContext context, EngineParityResult result)
    {
        Table table = new Table().Border(TableBorder.Minimal).AddColumns("what", "measured");
        Row("model", $"{result.Model} ({result.Weights})");
        Row("device", $"{result.Device}, beside {result.Processor}");
        Row("tokens", $"{result.Same} of {result.Generate} the same");
        if (result.PartedAt is { } at) Row("parted", $"at token {at}, where the processor's choice led the device's by {result.LeadAtParting:0.0000}");
        Row("divergence", $"mean {result.MeanDivergence:0.0e+0}, most {result.MaxDivergence:0.0e+0} nats");
        context.Terminal.Table(table);

        void Row(string what, FormattableString measured) => table.AddRow(new Text(what), new Text(measured.ToString(CultureInfo.InvariantCulture)));
    }

    private static void Show(CommandContext context, EngineBenchResult result)
    {
        Table table = new Table().Border(TableBorder.Minimal).AddColumns("what", "measured");
        Row("model", $"{result.Model} ({result.Weights})");
        string how = result.Backend == "cpu" ? $"{result.Threads} threads" : result.DeviceKind;
        Row("device", $"{result.Device}, {how}");
        Row("load", $"{result.LoadMilliseconds:N0} ms");
        Row($"prefill {result.Prompt}", $"{result.PrefillTokensPerSecond:N1} tok/s");
        Row(result.Batch == 1 ? $"decode {result.Generate}" : $"decode {result.Generate}, {result.Batch} sessions", $"{result.DecodeTokensPerSecond:N1} tok/s");
        string reader = result.Backend == "cpu" ? "these threads" : "the device";
        Row("weights read", $"{result.BandwidthGigabytesPerSecond:N1} GB/s, {result.BandwidthShare:P0} of the {result.DeviceBandwidthGigabytesPerSecond:N1} that {reader} can read");
        Row("peak memory", $"{result.PeakMemoryMebibytes:N0} MiB");
        context.Terminal.Table(table);
        context.Terminal.Line($"  ids  {string.Join(' ', result.Ids)}");

        void Row(string what, FormattableString measured) => table.AddRow(new Text(what), new Text(measured.ToString(CultureInfo.InvariantCulture)));
    }
}
