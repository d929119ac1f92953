using System.Globalization;
using KwaaiNet.Cli.Network;
using KwaaiNet.Cli.Output;
using KwaaiNet.Cli.Processes;
using KwaaiNet.Cli.State;
using Spectre.Console;

namespace KwaaiNet.Cli.Commands;

/// <summary>Shows how a network comes up, and tells of deaths; both also go into the command's own log, which <c>logs</c> shows with the nodes'.</summary>
internal sealed class UpReport(Terminal terminal, NodeLog journal) : INetworkReport
{
    /// <summary>Changes the spinner's text; null when nothing spins.</summary>
    public Action<string>? Show { get; set; }

    public void Waiting(string text)
    {
        journal.Write($"info: {text}");
        if (terminal.Interactive && Show is { } show)
        {
            show(text);
        }
        else
        {
            terminal.Line($"… {text}");
        }
    }

    public void Ready(string node, NodeFile file)
    {
        journal.Write($"info: {node} is ready, {file.NodeId}");
        if (terminal.Interactive)
        {
            terminal.Console.MarkupLineInterpolated($"[green]✓[/] {node,-10} [grey]{file.Grpc ?? file.Http}[/]");
        }
        else
        {
            terminal.Line($"  {node,-10} ready  {file.Grpc ?? file.Http}");
        }
    }

    public void Died(NodeProcess node, int? exitCode, string problem, RestartVerdict verdict)
    {
        string how = exitCode is { } code ? $"has stopped (exit code {code})" : "could not be started again";
        string what = $"{node.Name} {how}. {problem}";
        journal.Write($"fail: {what}");
        terminal.Warning(what);
        if (verdict.Delay is { } delay)
        {
            Tell("info", string.Create(CultureInfo.InvariantCulture, $"{node.Name} is started again in {delay.TotalSeconds:0.#} s."));
            return;
        }

        Tell("warn", $"{node.Name} is not started again: {verdict.WhyNot}.");
        terminal.Line($"  log: {node.LogPath}");
        terminal.Line($"  try: '{CommandName.For($"restart {node.Name}")}' starts it again; '{CommandName.For("status")}' shows what is missing. The other nodes go on.");
    }

    public void Trouble(string text)
    {
        journal.Write($"warn: {text}");
        terminal.Warning(text);
    }

    private void Tell(string level, string text)
    {
        journal.Write($"{level}: {text}");
        terminal.Line($"  {text}");
    }
}
