using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using KwaaiNet.CandelEngine.Compute;
using KwaaiNet.CandelEngine.Files;
using KwaaiNet.Cli.Bench.Network;
using KwaaiNet.Cli.Models;
using KwaaiNet.Cli.Network;
using KwaaiNet.Cli.Output;
using Spectre.Console;

namespace KwaaiNet.Cli.Commands;

/// <summary><c>kwaainet bench network</c>: how fast a network of processes on this machine answers, beside the engine alone.</summary>
internal static class BenchNetworkCommand
{
    public static Command Create(CommandContext context)
    {
        Option<string?> model = new("--model", "-m") { Description = "A model's name or a file's path. Default: the demo model." };
        Option<int> shards = BenchCommand.Number("--shards", "Shard nodes that share the model's blocks.", 3, 1, 1024, "-s");
        Option<int> users = BenchCommand.Number("--users", "Requests in flight at once.", 1, 1, 4096, "-u");
        Option<int> prompt = BenchCommand.Number("--prompt", "Tokens of a user's message.", 45, 1, 1 << 20, "-p");
        Option<int> generate = BenchCommand.Number("--generate", "Tokens of an answer.", 48, 4, 1 << 20, "-n");
        Option<int> shared = BenchCommand.Number("--shared-prefix", "Of the prompt, tokens that all users have in common, as a system message.", 0, 0, 1 << 20);
        Option<int> rounds = BenchCommand.Number("--rounds", "How often all users ask; of three or more the first does not count.", 5, 1, 1000, "-r");
        Option<int> roundTrip = BenchCommand.Number("--rtt-ms", "Milliseconds from one node to another and back: relays before the shards keep all that passes for half of it.", 0, 0, 10_000);
        Option<int> whilePrompt = BenchCommand.Number("--while-prompt", "Tokens of a prompt that is sent while the users decode: how long are the gaps in their answers until its first token? 0: none.", 0, 0, 1 << 20);
        Option<string> backend = new("--backend") { Description = "What shards and the engine compute on.", DefaultValueFactory = _ => "cpu" };
        backend.AcceptOnlyFromAmong("auto", "cpu", "ilgpu");
        Option<bool> noEngine = new("--no-engine") { Description = "Do not measure the engine alone before and after." };
        Option<string[]> set = SettingOption.Create();
        Option<bool> json = new("--json") { Description = "For programs." };
        Command command = new("network", "Start a network of processes, ask it as apps would, and print times and rates beside the engine's.")
        {
            model, shards, users, prompt, generate, shared, rounds, roundTrip, whilePrompt, backend, noEngine, set, json,
        };
        command.SetWork(context, async (parsed, cancellationToken) =>
        {
            if (parsed.GetValue(shared) >= parsed.GetValue(prompt))
                throw new CommandFailure($"--shared-prefix {parsed.GetValue(shared)} leaves no question of --prompt {parsed.GetValue(prompt)}.", "a longer --prompt: every user asks something else.");
            LocalModel found = LocalModels.Find(context.Home, parsed.GetValue(model));
            Preflight.CheckShards(parsed.GetValue(shards), found);
            NetworkBenchOptions options = new(
                found, parsed.GetValue(shards), parsed.GetValue(users), parsed.GetValue(prompt), parsed.GetValue(generate), parsed.GetValue(shared),
                parsed.GetValue(rounds), TimeSpan.FromMilliseconds(parsed.GetValue(roundTrip)), parsed.GetValue(backend)!, !parsed.GetValue(noEngine), parsed.GetValue(whilePrompt), SettingOption.Read(parsed.GetValue(set)));
            NetworkBenchResult result = await RunAsync(context, options, cancellationToken).ConfigureAwait(false);
            if (parsed.GetValue(json)) context.Terminal.Line(JsonSerializer.Serialize(result, CommandJson.Options));
            else Show(context, result);
            return ExitCode.Success;
        });
        return command;
    }

    private static async Task<NetworkBenchResult> RunAsync(CommandContext context, NetworkBenchOptions options, CancellationToken cancellationToken)
    {
        NetworkBenchResult? result = null;
        try
        {
            await context.Terminal.StatusAsync("starting", async show =>
            {
                NetworkBench bench = new(options, context.Clock, (stage, fraction) => show(fraction > 0 ? $"{stage} {fraction:P0}" : stage));
                // The engine computes on the thread it is called on.
                result = await Task.Run(() => bench.RunAsync(cancellationToken), cancellationToken).ConfigureAwait(false);
            }).ConfigureAwait(false);
        }
        catch (Exception exception) when (exception is ModelFormatException or ComputeUnavailableException or ComputeException or KvExhaustedException or InsufficientMemoryException)
        {
            throw new CommandFailure(exception.Message, "take another model, a shorter --prompt, fewer --users, or another --backend.");
        }

        return result!;
    }

    private static void Show(CommandContext context, NetworkBenchResult result)
    {
        Table table = new Table().Border(TableBorder.Minimal).AddColumns("what", "measured");
        Row("model", $"{result.Model} ({result.Weights}), {result.Shards} shards, {result.Users} users");
        Row($"first token behind {result.Prompt}", $"{result.TimeToFirstTokenP50:N1} ms, p99 {result.TimeToFirstTokenP99:N1} ms");
        Row("a token after it", $"{result.TimePerTokenP50:N2} ms, p99 {result.TimePerTokenP99:N2} ms; gaps p99 {result.GapP99:N2} ms");
        Row("all tokens ÷ all time", $"{result.TotalTokensPerSecond:N1} tok/s");
        Row("while all decode", $"{result.SteadyTokensPerSecond:N1} tok/s, {result.FirstTokensPerSecond:N1} in the first round");
        Row("slowest ÷ fastest user", $"{result.Fairness:N2}");
        if (result.HopP50 is { } hop) Row("a hop beyond compute", $"{hop:N3} ms, p99 {result.HopP99:N3} ms");
        Row("prompts of each round", $"{string.Join("; ", result.PromptsByRound.Select(prompts => string.Create(CultureInfo.InvariantCulture, $"{prompts.PromptTokens:N0} tokens, {prompts.CachedTokens:N0} cached")))}");
        foreach ((string process, double spent) in result.ProcessorMicrosecondsPerToken) Row($"processor, {process}", $"{spent:N0} µs a token");
        if (result.WhilePrompt is { } during)
        {
            Row("gaps before a long prompt", $"{during.GapP50Before:N2} ms, p99 {during.GapP99Before:N2} ms");
            Row($"while {during.Prompt:N0} tokens are computed", $"p99 {during.GapP99While:N2} ms, longest {during.GapMaxWhile:N2} ms; p99 ÷ p50 before {during.Ratio:N2}; bound {during.BoundMilliseconds:N1} ms");
            Row("first token behind them", $"{during.TimeToFirstTokenP50:N1} ms");
        }

        if (result.Ratio is { } ratio)
        {
            Row("the engine alone", $"{result.SingleProcessTokensPerSecond:N1} tok/s; prompts {result.SingleProcessPrefillTokensPerSecond:N1} tok/s");
            Row("network ÷ engine", $"{ratio:N2}; prompts {result.PrefillTokensPerSecond / result.SingleProcessPrefillTokensPerSecond:N2}");
        }

        context.Terminal.Table(table);

        void Row(string what, FormattableString measured) => table.AddRow(new Text(what), new Text(measured.ToString(CultureInfo.InvariantCulture)));
    }
}
