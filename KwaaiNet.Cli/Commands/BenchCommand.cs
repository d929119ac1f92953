using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using KwaaiNet.CandelEngine.Compute;
using KwaaiNet.CandelEngine.Models;
using KwaaiNet.Cli.Bench;
using KwaaiNet.Cli.Models;
using Spectre.Console;

namespace KwaaiNet.Cli.Commands;

/// <summary><c>kwaainet bench</c>: how fast this machine runs a model.</summary>
internal static class BenchCommand
{
    public static Command Create(CommandContext context) => new("bench", "Measure how fast this machine runs a model.") { Engine(context) };

    private static Command Engine(CommandContext context)
    {
        Option<string?> model = new("--model", "-m") { Description = "A model's name or a file's path. Default: the demo model." };
        Option<string> backend = new("--backend") { Description = "cpu, ilgpu or auto.", DefaultValueFactory = _ => "cpu" };
        backend.AcceptOnlyFromAmong("cpu", "ilgpu", "auto");
        Option<int> threads = Number("--threads", "Threads that compute; 0 for as many as the machine has.", 0, 0, 1024, "-t");
        Option<int> prompt = Number("--prompt", "Tokens in the prompt.", 512, 1, 1 << 20, "-p");
        Option<int> generate = Number("--generate", "Tokens decoded after it.", 64, 1, 1 << 20, "-n");
        Option<int> batch = Number("--batch", "Sessions decoded together.", 1, 1, 4096, "-b");
        Option<string> kv = new("--kv") { Description = "How keys and values are kept: f16, f32 or q8.", DefaultValueFactory = _ => "f16" };
        kv.AcceptOnlyFromAmong("f16", "f32", "q8");
        Option<bool> json = new("--json") { Description = "For programs." };
        Command command = new("engine", "Run the whole model in this process, with no network, and print the rates.") { model, backend, threads, prompt, generate, batch, kv, json };
        command.SetWork(context, (parsed, cancellationToken) =>
        {
            LocalModel found = LocalModels.Find(context.Home, parsed.GetValue(model));
            EngineBenchOptions options = new(
                found.Path,
                parsed.GetValue(backend)!,
                parsed.GetValue(threads),
                parsed.GetValue(prompt),
                parsed.GetValue(generate),
                parsed.GetValue(batch),
                Enum.Parse<KvFormat>(parsed.GetValue(kv)!, ignoreCase: true));
            EngineBenchResult result = RunAsShown(context, options, cancellationToken);
            if (parsed.GetValue(json)) context.Terminal.Line(JsonSerializer.Serialize(result, CommandJson.Options));
            else Show(context, result);
            return Task.FromResult(ExitCode.Success);
        });
        return command;
    }

    private static Option<int> Number(string name, string description, int otherwise, int least, int most, string alias)
    {
        Option<int> option = new(name, alias) { Description = description, DefaultValueFactory = _ => otherwise };
        option.Validators.Add(result =>
        {
            if (result.Tokens.Count == 1 && int.TryParse(result.Tokens[0].Value, NumberStyles.Integer, CultureInfo.InvariantCulture, out int value) && (value < least || value > most))
                result.AddError($"{name} is {value}; it must be from {least} to {most}.");
        });
        return option;
    }

    private static EngineBenchResult RunAsShown(CommandContext context, EngineBenchOptions options, CancellationToken cancellationToken)
    {
        try
        {
            if (!context.Terminal.Interactive) return EngineBench.Run(options, (_, _) => { }, cancellationToken);

            return context.Terminal.Console.Progress().AutoClear(true).Start(shown =>
            {
                Dictionary<string, ProgressTask> tasks = new(StringComparer.Ordinal);
                return EngineBench.Run(
                    options,
                    (stage, fraction) =>
                    {
                        if (!tasks.TryGetValue(stage, out ProgressTask? task)) tasks.Add(stage, task = shown.AddTask(stage, maxValue: 1));
                        task.Value = fraction;
                    },
                    cancellationToken);
            });
        }
        catch (Exception exception) when (exception is ModelFormatException or ComputeUnavailableException or ComputeException or KvExhaustedException or InsufficientMemoryException or ArgumentException)
        {
            throw new CommandFailure(exception.Message, "take another model, a shorter --prompt, a smaller --batch, or another --backend.");
        }
    }

    private static void Show(CommandContext context, EngineBenchResult result)
    {
        Table table = new Table().Border(TableBorder.Minimal).AddColumns("what", "measured");
        Row("model", $"{result.Model} ({result.Weights})");
        Row("device", $"{result.Device}, {result.Threads} threads");
        Row("load", $"{result.LoadMilliseconds:N0} ms");
        Row($"prefill {result.Prompt}", $"{result.PrefillTokensPerSecond:N1} tok/s");
        Row(result.Batch == 1 ? $"decode {result.Generate}" : $"decode {result.Generate}, {result.Batch} sessions", $"{result.DecodeTokensPerSecond:N1} tok/s");
        string share = result.BandwidthShare is { } part ? string.Create(CultureInfo.InvariantCulture, $", {part:P0} of what these threads can read") : "";
        Row("weights read", $"{result.BandwidthGigabytesPerSecond:N1} GB/s{share}");
        Row("peak memory", $"{result.PeakMemoryMebibytes:N0} MiB");
        context.Terminal.Table(table);

        void Row(string what, FormattableString measured) => table.AddRow(new Text(what), new Text(measured.ToString(CultureInfo.InvariantCulture)));
    }
}
