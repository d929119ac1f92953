using System.CommandLine;
using KwaaiNet.Cli.Control;
using KwaaiNet.Cli.Output;
using KwaaiNet.Cli.State;

namespace KwaaiNet.Cli.Commands;

/// <summary><c>kwaainet restart NODE</c>: starts a node that has stopped, or one that should start afresh; nothing else is touched.</summary>
internal static class RestartCommand
{
    public static Command Create(CommandContext context)
    {
        Argument<string> node = new("node") { Description = "The node's name, as 'status' shows it: shard-2." };
        Command command = new("restart", "Start one node of the running network again.") { node };
        command.SetWork(context, (parsed, cancellationToken) => RunAsync(context, parsed.GetValue(node)!, cancellationToken));
        return command;
    }

    private static async Task<int> RunAsync(CommandContext context, string node, CancellationToken cancellationToken)
    {
        NetworkState state = RunningNetwork.Require(context);
        bool answered = false;
        await context.Terminal.StatusAsync($"starting {node}", async _ =>
            answered = await ControlClient.TrySendAsync(state.ControlPipe, $"{ControlPipe.Restart} {node}", ControlServer.RequestLimit + ControlServer.CallerLimit, cancellationToken).ConfigureAwait(false)).ConfigureAwait(false);
        if (!answered)
        {
            throw new CommandFailure(
                $"The running network (process {state.Supervisor.Pid}) does not answer.",
                $"'{Output.CommandName.For("down")}', then '{Output.CommandName.For("up")}'.");
        }

        context.Terminal.Line($"{node} is ready.");
        return ExitCode.Success;
    }
}
