using System.CommandLine;
using KwaaiNet.Cli.Logs;
using KwaaiNet.Cli.Output;
using Spectre.Console;

namespace KwaaiNet.Cli.Commands;

/// <summary><c>kwaainet logs [NODE] [--follow]</c>: what the nodes write, merged.</summary>
internal static class LogsCommand
{
    private const int DefaultLines = 200;
    private static readonly Color[] s_colors = [Color.Aqua, Color.Lime, Color.Yellow, Color.Fuchsia, Color.Orange1, Color.SkyBlue1];

    public static Command Create(CommandContext context)
    {
        Argument<string?> node = new("node") { Description = "One node's log only.", Arity = ArgumentArity.ZeroOrOne };
        Option<bool> follow = new("--follow", "-f") { Description = "Go on with what is written from now on, until Ctrl-C." };
        Option<int> lines = new("--lines", "-n") { Description = "How many of the last lines to show first.", DefaultValueFactory = _ => DefaultLines };
        Command command = new("logs", "Show what the nodes write.") { node, follow, lines };
        command.SetWork(context, (parsed, cancellationToken) =>
            RunAsync(context, parsed.GetValue(node), parsed.GetValue(follow), Math.Max(0, parsed.GetValue(lines)), cancellationToken));
        return command;
    }

    internal static async Task<int> RunAsync(CommandContext context, string? node, bool follow, int lines, CancellationToken cancellationToken)
    {
        IReadOnlyList<string> nodes = context.Home.NodesWithLogs();
        if (nodes.Count == 0)
        {
            throw new CommandFailure("There are no logs: no network has been up here.", $"'{CommandName.For("up")}'.", ExitCode.NotRunning);
        }

        if (node is not null && !nodes.Contains(node))
        {
            throw new CommandFailure($"There is no log of a node named '{node}'.", $"one of {string.Join(", ", nodes)}.");
        }

        MergedLog log = new(context.Home, node);
        using LogChanges changes = new(context.Home.RunFolder, context.Clock);
        foreach (LogLine line in log.ReadNew().TakeLast(lines))
        {
            Write(context.Terminal, line);
        }

        while (follow)
        {
            try
            {
                await changes.WaitAsync(cancellationToken).ConfigureAwait(false);
            }
            catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
            {
                break;
            }

            foreach (LogLine line in log.ReadNew())
            {
                Write(context.Terminal, line);
            }
        }

        return ExitCode.Success;
    }

    private static void Write(Terminal terminal, LogLine line)
    {
        if (terminal.Interactive)
        {
            // The same name has the same colour in every run: its characters choose it.
            Color color = s_colors[line.Node.Sum(character => character) % s_colors.Length];
            terminal.Console.Write(new Text($"{line.Node,-10}", new Style(color)));
        }
        else
        {
            terminal.Text($"{line.Node,-10}");
        }

        terminal.Line($" {line.Text}");
    }
}
