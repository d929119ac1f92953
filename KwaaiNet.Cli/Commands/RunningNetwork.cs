using KwaaiNet.Cli.Output;
using KwaaiNet.Cli.State;

namespace KwaaiNet.Cli.Commands;

/// <summary>For commands that need a network.</summary>
internal static class RunningNetwork
{
    /// <exception cref="CommandFailure">None runs.</exception>
    public static NetworkState Require(CommandContext context) => NetworkStateFile.ReadRunning(context.Home)
        ?? throw new CommandFailure(
            NetworkStateFile.Read(context.Home) is null
                ? "No network runs on this machine."
                : "No network runs on this machine: the one that was up has ended without being stopped.",
            $"'{CommandName.For("up")}'.",
            ExitCode.NotRunning);
}
