using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using KwaaiNet.CandelEngine.Files;
using KwaaiNet.Cli.Bench.Soak;
using KwaaiNet.Cli.Models;
using KwaaiNet.Cli.Network;
using KwaaiNet.Cli.Output;
using Spectre.Console;

namespace KwaaiNet.Cli.Commands;

/// <summary><c>kwaainet bench soak</c>: whether anything is left of requests that come and go for half an hour, or different for them.</summary>
internal static class BenchSoakCommand
{
    public static Command Create(CommandContext context)
    {
        Option<string?> model = new("--model", "-m") { Description = "A model's name or a file's path. Default: the demo model." };
        Option<int> minutes = BenchCommand.Number("--minutes", "How long requests arrive.", 30, 1, 7 * 24 * 60);
        Option<int> requests = BenchCommand.Number("--requests", "How many requests arrive, in place of --minutes; 0: as many as that time allows.", 0, 0, int.MaxValue);
        Option<int> shards = BenchCommand.Number("--shards", "Parts the model's blocks are cut into.", NetworkOptions.DefaultShards, 1, 1024, "-s");
        Option<int> replicas = BenchCommand.Number("--replicas", "Nodes that hold each part.", 1, 1, 1024);
        Option<int> users = BenchCommand.Number("--users", "Those who ask; each waits for an answer before the next question.", 8, 1, 4096, "-u");
        Option<int> seed = BenchCommand.Number("--seed", "What is asked, and when, is drawn from it.", 1, 0, int.MaxValue);
        Option<string> backend = new("--backend") { Description = "What shards compute on.", DefaultValueFactory = _ => "cpu" };
        backend.AcceptOnlyFromAmong("auto", "cpu", "ilgpu");
        Option<string[]> set = SettingOption.Create();
        Option<bool> json = new("--json") { Description = "For programs." };
        Command command = new("soak", "Start a network of processes, let requests of all lengths come and go, compare every answer with the same request's alone, and look what is left of them.")
        {
            model, minutes, requests, shards, replicas, users, seed, backend, set, json,
        };
        command.SetWork(context, async (parsed, cancellationToken) =>
        {
            LocalModel found = LocalModels.Find(context.Home, parsed.GetValue(model));
            Preflight.CheckShards(parsed.GetValue(shards), found);
            SoakOptions options = new(
                found,
                parsed.GetValue(shards),
                parsed.GetValue(replicas),
                parsed.GetValue(users),
                TimeSpan.FromMinutes(parsed.GetValue(minutes)),
                parsed.GetValue(requests) is > 0 and int most ? most : null,
                parsed.GetValue(seed),
                parsed.GetValue(backend)!,
                SettingOption.Read(parsed.GetValue(set)));
            return Report(context, await RunAsync(context, options, parsed.GetValue(json), cancellationToken).ConfigureAwait(false), parsed.GetValue(json));
        });
        return command;
    }

    /// <summary>Prints what was seen, and says by the exit code whether it held.</summary>
    internal static int Report(CommandContext context, SoakResult result, bool json)
    {
        if (json) context.Terminal.Line(JsonSerializer.Serialize(result, CommandJson.Options));
        else Show(context, result);
        if (!result.Passed)
        {
            context.Terminal.Error(
                string.Join(' ', result.Problems),
                $"run it again with --seed {result.Seed.ToString(CultureInfo.InvariantCulture)}, which asks the same; with fewer --users or --shards 1 it may show where it comes from.");
            return ExitCode.Failure;
        }

        return result.Interrupted ? ExitCode.Interrupted : ExitCode.Success;
    }

    private static async Task<SoakResult> RunAsync(CommandContext context, SoakOptions options, bool json, CancellationToken cancellationToken)
    {
        try
        {
            return await SoakReport.RunAsync(context, json, progress =>
                // Tokenizes and judges: not on the thread that draws the bar.
                Task.Run(() => new SoakRun(options, context.Clock, progress).RunAsync(cancellationToken, context.Interrupts.StopNow), CancellationToken.None)).ConfigureAwait(false);
        }
        catch (ModelFormatException exception)
        {
            throw new CommandFailure(exception.Message, "take another model.");
        }
    }

    private static void Show(CommandContext context, SoakResult result)
    {
        SoakCounts requests = result.Requests;
        Table table = new Table().Border(TableBorder.Minimal).AddColumns("what", "seen");
        Row("model", $"{result.Model} ({result.Weights}), {result.Shards} shards, {result.Replicas} of each, {result.Users} users, seed {result.Seed}");
        Row("time", $"{TimeSpan.FromSeconds(result.Seconds):hh\\:mm\\:ss}{(result.Interrupted ? ", interrupted" : "")}");
        Row("requests", $"{requests.Sent:N0} of {result.Shapes} kinds: {requests.Answered:N0} answered, {requests.Cancelled:N0} cancelled, {requests.Refused:N0} refused, {requests.Failed:N0} failed, {requests.Different:N0} different");
        Row("tokens", $"{requests.Tokens:N0} behind {requests.PromptTokens:N0}, of which {requests.CachedTokens:N0} cached");
        Row("longest stall", $"{requests.LongestStallMilliseconds:N0} ms; {requests.Stalls:N0} of more than a second; first token {requests.LongestFirstTokenMilliseconds:N0} ms at most");
        foreach (ProcessMemory process in result.Processes)
        {
            Row($"memory, {process.Name}", process.EndBytes is { } end
                ? (FormattableString)$"{ByteSize.Of(process.StartBytes)} at the start, {ByteSize.Of(end)} at the end"
                : $"{ByteSize.Of(process.StartBytes)} at the start; it has ended");
        }

        foreach (ShardRoom shard in result.Kv)
        {
            Row($"KV cache, {shard.Name}", shard.Answers
                ? (FormattableString)$"{ByteSize.Of(shard.KvUsedBytes)} used by {shard.Sessions} sessions, {ByteSize.Of(shard.KvCachedBytes)} to be found again"
                : $"it does not answer");
        }

        Row("verdict", result.Passed ? (FormattableString)$"everything held" : $"{result.Problems.Count} problems");
        context.Terminal.Table(table);
        foreach (string example in result.Examples) context.Terminal.Line($"  {Terminal.Plain(example)}");

        void Row(string what, FormattableString seen) => table.AddRow(new Text(what), new Text(seen.ToString(CultureInfo.InvariantCulture)));
    }
}
