using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using KwaaiNet.Cli.Network;
using KwaaiNet.Cli.Output;
using KwaaiNet.Cli.State;
using Spectre.Console;

namespace KwaaiNet.Cli.Commands;

/// <summary><c>kwaainet status</c>: the nodes, what they serve, how they are.</summary>
internal static class StatusCommand
{
    // All columns beside one another, with a processor's or a graphics card's full name.
    private const int WideEnough = 140;

    public static Command Create(CommandContext context)
    {
        Option<bool> json = new("--json") { Description = "For programs." };
        Command command = new("status", "Show the nodes and what they serve. Exit code 3: no network runs; 4: one runs, with something missing.") { json };
        command.SetWork(context, (parsed, cancellationToken) => RunAsync(context, parsed.GetValue(json), cancellationToken));
        return command;
    }

    internal static async Task<int> RunAsync(CommandContext context, bool json, CancellationToken cancellationToken)
    {
        NetworkState? state = NetworkStateFile.ReadRunning(context.Home);
        if (state is null && !json)
        {
            _ = RunningNetwork.Require(context);
        }

        NetworkReport report = state is null
            ? NetworkReport.None
            : await NetworkReporter.LookAsync(context.Home, state, cancellationToken).ConfigureAwait(false);
        if (json)
        {
            context.Terminal.Line(JsonSerializer.Serialize(report, CommandJson.Options));
        }
        else
        {
            Show(context.Terminal, report);
        }

        return !report.Running ? ExitCode.NotRunning
            : report.Complete && report.Nodes.All(node => node.Pid is not null) ? ExitCode.Success
            : ExitCode.Degraded;
    }

    private static string Nodes(int count) => count == 1 ? "1 node" : $"{count} nodes";

    internal static void Show(Terminal terminal, NetworkReport report)
    {
        // On a usual screen folded columns could not be read; what is left out there is in --json.
        bool wide = terminal.Width >= WideEnough;
        Table table = new Table().Border(TableBorder.Minimal).AddColumns("node", "state", "blocks", "backend", wide ? "decode tok/s" : "tok/s", "sessions", "memory");
        if (wide)
        {
            table.AddColumns("process", "address");
        }

        foreach (NodeReport node in report.Nodes)
        {
            List<Text> cells =
            [
                new Text(node.Name),
                new Text(node.State, new Style(node.State switch { "ready" or "running" => Color.Green, "stopped" => Color.Red, _ => Color.Yellow })),
                new Text(node.Blocks ?? "-"),
                new Text(node.Backend is null ? "-" : wide ? $"{node.Backend}: {node.Device}" : node.Backend),
                // A shard's speed over its own blocks: a chain is as fast as all of its shards together.
                new Text(node.DecodeTokensPerSecond is > 0 ? node.DecodeTokensPerSecond.Value.ToString("0.0", CultureInfo.InvariantCulture) : "-"),
                new Text(node.Sessions?.ToString(CultureInfo.InvariantCulture) ?? "-"),
                new Text(node.MemoryBytes is { } bytes ? ByteSize.Of(bytes) : "-"),
            ];
            if (wide)
            {
                cells.Add(new Text(node.Pid?.ToString(CultureInfo.InvariantCulture) ?? "-"));
                cells.Add(new Text(node.Address ?? "-"));
            }

            table.AddRow(cells);
        }

        terminal.Line($"{report.Model} at {report.Url}");
        terminal.Table(table);
        if (!report.DiscoveryAnswers)
        {
            terminal.Warning("Discovery does not answer: which blocks are served is not known.");
        }
        else if (!report.Complete)
        {
            terminal.Warning($"{report.Model} cannot be used: nobody serves {(report.Gaps.Count == 0 ? "any of its blocks" : "blocks " + string.Join(", ", report.Gaps))}.");
        }

        else
        {
            // Even coverage is one number; where it is not even, the rare blocks are what matters.
            terminal.Line(report.Coverage.Count == 1
                ? $"Every block lies on {Nodes(report.Replicas)}."
                : $"Blocks lie on {string.Join(", ", report.Coverage.Select(range => $"{Nodes(range.Nodes)} ({range.Blocks})"))}.");
        }

        foreach (NodeReport node in report.Nodes)
        {
            if (node.State == "restarting")
            {
                terminal.Line($"  {node.Name} has ended, and is started again: {node.LastEnd}");
            }
            else if (node.Pid is null)
            {
                string why = node.WhyStopped is null ? "" : $", and is not started again: {node.WhyStopped}";
                terminal.Line($"  {node.Name} has stopped{why}. '{CommandName.For($"logs {node.Name}")}' shows more, '{CommandName.For($"restart {node.Name}")}' starts it again.");
            }
            else if (node.Restarts > 0)
            {
                terminal.Line($"  {node.Name} was started again {(node.Restarts == 1 ? "once" : $"{node.Restarts} times")}; last: {node.LastEnd}");
            }
        }
    }
}
