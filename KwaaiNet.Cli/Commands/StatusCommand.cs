using System.CommandLine;

namespace KwaaiNet.Cli.Commands;

internal static class StatusCommand
{
    public static Command Create(CommandContext context)
    {
        Command command = new("status", "Show.");
        command.SetWork(context, (_, _) => Task.FromResult(0));
        return command;
    }
}
