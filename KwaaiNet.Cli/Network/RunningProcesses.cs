using System.ComponentModel;
using System.Diagnostics;
using KwaaiNet.Cli.Processes;
using KwaaiNet.Cli.State;

namespace KwaaiNet.Cli.Network;

/// <summary>The processes a network left in its state file, ended from outside: for a supervisor that is gone, or that does not answer.</summary>
internal static class RunningProcesses
{
    /// <summary>How long a killed process may take to be gone: no longer than the system needs for it.</summary>
    public static readonly TimeSpan KillPatience = TimeSpan.FromSeconds(0.75);

    /// <summary>Asks every node that still runs to stop, and ends those that do not, frozen ones included.</summary>
    /// <param name="nodes">The nodes as they were written down; one that is another process by now is left alone.</param>
    /// <param name="grace">How long they may take.</param>
    /// <param name="clock">The clock of waits.</param>
    /// <returns>How many ran.</returns>
    public static async Task<int> StopAsync(IEnumerable<NodeState> nodes, TimeSpan grace, TimeProvider clock)
    {
        List<Process> running = [.. nodes.Select(node => node.Process.Open()).OfType<Process>()];
        try
        {
            running.ForEach(process => StopSignal.Send(process));
            await WaitAsync(running, grace, clock).ConfigureAwait(false);
            running.ForEach(Kill);
            await WaitAsync(running, KillPatience, clock).ConfigureAwait(false);
        }
        finally
        {
            running.ForEach(process => process.Dispose());
        }

        return running.Count;
    }

    /// <summary>Ends a process at once, if it is still the one that was written down.</summary>
    public static async Task KillAsync(ProcessStamp stamp, TimeProvider clock)
    {
        using Process? process = stamp.Open();
        if (process is not null)
        {
            Kill(process);
            await WaitAsync([process], KillPatience, clock).ConfigureAwait(false);
        }
    }

    private static async Task WaitAsync(List<Process> processes, TimeSpan patience, TimeProvider clock)
    {
        try
        {
            await Task.WhenAll(processes.Select(process => process.WaitForExitAsync())).WaitAsync(patience, clock).ConfigureAwait(false);
        }
        catch (TimeoutException)
        {
            // The next step is sterner, or there is none.
        }
    }

    private static void Kill(Process process)
    {
        try
        {
            process.Kill();
        }
        catch (Exception exception) when (exception is InvalidOperationException or Win32Exception)
        {
            // It has ended by itself.
        }
    }
}
