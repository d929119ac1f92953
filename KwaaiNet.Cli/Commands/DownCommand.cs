using System.CommandLine;
using System.Diagnostics;
using KwaaiNet.Cli.Control;
using KwaaiNet.Cli.Output;
using KwaaiNet.Cli.Processes;
using KwaaiNet.Cli.State;

namespace KwaaiNet.Cli.Commands;

/// <summary><c>kwaainet down</c>: stops the network that <c>up</c> started.</summary>
internal static class DownCommand
{
    // Three groups of nodes, each with NodeProcess.DefaultGrace, and the command's own end.
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(40);

    public static Command Create(CommandContext context)
    {
        Command command = new("down", "Stop the network on this machine.");
        command.SetWork(context, (_, cancellationToken) => RunAsync(context, cancellationToken));
        return command;
    }

    internal static async Task<int> RunAsync(CommandContext context, CancellationToken cancellationToken)
    {
        NetworkState? state = NetworkStateFile.Read(context.Home);
        Process? supervisor = state?.Supervisor.Open();
        if (state is null || supervisor is null)
        {
            int leftovers = state is null ? 0 : KillLeftovers(state);
            NetworkStateFile.Delete(context.Home);
            context.Terminal.Line(leftovers == 0
                ? "No network runs."
                : $"Its supervisor was gone; stopped {leftovers} nodes that it had left behind.");
            return leftovers == 0 ? ExitCode.NotRunning : ExitCode.Success;
        }

        using (supervisor)
        {
            bool asked = await ControlClient.TrySendAsync(state.ControlPipe, ControlPipe.Stop, cancellationToken).ConfigureAwait(false)
                || StopSignal.Send(supervisor);
            try
            {
                await context.Terminal.StatusAsync(
                    "stopping the network",
                    _ => asked ? WaitForEndAsync(state, context.Clock, cancellationToken) : Task.CompletedTask).ConfigureAwait(false);
            }
            catch (TimeoutException)
            {
                context.Terminal.Warning("The network did not stop in time; ending its processes.");
            }
        }

        if (state.Supervisor.Open() is { } stubborn)
        {
            stubborn.Kill();
            stubborn.Dispose();
        }

        KillLeftovers(state);
        NetworkStateFile.Delete(context.Home);
        context.Terminal.Line("The network is down.");
        return ExitCode.Success;
    }

    private static async Task WaitForEndAsync(NetworkState state, TimeProvider clock, CancellationToken cancellationToken)
    {
        // Another process's child gives no event when it ends.
        using CancellationTokenSource patience = new(s_patience, clock);
        using CancellationTokenSource either = CancellationTokenSource.CreateLinkedTokenSource(patience.Token, cancellationToken);
        using PeriodicTimer timer = new(TimeSpan.FromMilliseconds(50), clock);
        try
        {
            while (state.Supervisor.IsRunning())
            {
                await timer.WaitForNextTickAsync(either.Token).ConfigureAwait(false);
            }
        }
        catch (OperationCanceledException) when (patience.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
        {
            throw new TimeoutException();
        }
    }

    private static int KillLeftovers(NetworkState state)
    {
        int killed = 0;
        foreach (NodeState node in state.Nodes)
        {
            if (node.Process.Open() is { } process)
            {
                process.Kill();
                process.Dispose();
                killed++;
            }
        }

        return killed;
    }
}
