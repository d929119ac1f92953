using System.CommandLine;
using System.Diagnostics;
using KwaaiNet.Cli.Control;
using KwaaiNet.Cli.Network;
using KwaaiNet.Cli.Output;
using KwaaiNet.Cli.Processes;
using KwaaiNet.Cli.State;

namespace KwaaiNet.Cli.Commands;

/// <summary><c>kwaainet down</c>: stops the network that <c>up</c> started, within 15 seconds whatever its processes do.</summary>
internal static class DownCommand
{
    // Answered: it stops its nodes, and takes no longer than NetworkSupervisor.LongestStop, all nodes frozen. Not answered: it hangs, and
    // is given no more than a signal and a moment.
    private static readonly TimeSpan s_answer = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan s_stop = TimeSpan.FromSeconds(11);
    private static readonly TimeSpan s_unanswered = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan s_leftoverGrace = TimeSpan.FromSeconds(3);

    /// <summary>The most that the waits of <c>down</c> add up to, whatever the supervisor and the nodes do.</summary>
    internal static TimeSpan LongestWait =>
        TimeSpan.FromTicks(Math.Max((s_answer + s_stop).Ticks, (s_answer + s_unanswered + s_leftoverGrace).Ticks)) + (2 * RunningProcesses.KillPatience);

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
            int leftovers = state is null ? 0 : await RunningProcesses.StopAsync(state.Nodes, s_leftoverGrace, context.Clock).ConfigureAwait(false);
            NetworkStateFile.Delete(context.Home);
            context.Terminal.Line(leftovers == 0
                ? "No network runs."
                : $"Its supervisor was gone; stopped {leftovers} {(leftovers == 1 ? "node" : "nodes")} that it had left behind.");
            return leftovers == 0 ? ExitCode.NotRunning : ExitCode.Success;
        }

        bool ended = false;
        bool answered = false;
        using (supervisor)
        {
            await context.Terminal.StatusAsync("stopping the network", async _ =>
            {
                answered = await ControlClient.TrySendAsync(state.ControlPipe, ControlPipe.Stop, s_answer, cancellationToken).ConfigureAwait(false);
                bool asked = answered || StopSignal.Send(supervisor);
                ended = asked && await EndsAsync(state, answered ? s_stop : s_unanswered, context.Clock, cancellationToken).ConfigureAwait(false);
            }).ConfigureAwait(false);
        }

        if (!ended)
        {
            context.Terminal.Warning($"The process that watches the network ({state.Supervisor.Pid}) did not stop; ending it and the nodes from here.");
            await RunningProcesses.KillAsync(state.Supervisor, context.Clock).ConfigureAwait(false);
        }

        // What is left was asked to stop long ago, unless its supervisor never came to it.
        // Read again, now that nobody writes it any more: a node may have been started since.
        NetworkState last = NetworkStateFile.Read(context.Home) is { } latest && latest.Supervisor == state.Supervisor ? latest : state;
        await RunningProcesses.StopAsync(last.Nodes.Union(state.Nodes), answered ? TimeSpan.Zero : s_leftoverGrace, context.Clock).ConfigureAwait(false);
        NetworkStateFile.Delete(context.Home);
        context.Terminal.Line("The network is down.");
        return ExitCode.Success;
    }

    private static async Task<bool> EndsAsync(NetworkState state, TimeSpan patience, TimeProvider clock, CancellationToken cancellationToken)
    {
        // Another process's child gives no event when it ends.
        using CancellationTokenSource limit = new(patience, clock);
        using CancellationTokenSource either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancellationToken);
        using PeriodicTimer timer = new(TimeSpan.FromMilliseconds(50), clock);
        try
        {
            while (state.Supervisor.IsRunning())
            {
                await timer.WaitForNextTickAsync(either.Token).ConfigureAwait(false);
            }
        }
        catch (OperationCanceledException) when (limit.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
        {
            return false;
        }

        return true;
    }
}
