using System.ComponentModel;
using System.Diagnostics;

namespace KwaaiNet.Cli.State;

/// <summary>A process that can be recognised later. An id alone cannot: systems use ids again.</summary>
/// <param name="Pid">The system's id.</param>
/// <param name="StartedUnixMs">When the process started.</param>
internal sealed record ProcessStamp(int Pid, long StartedUnixMs)
{
    // Linux derives a start time from the boot time, which every reader estimates anew.
    private static readonly TimeSpan s_tolerance = TimeSpan.FromSeconds(5);

    public static ProcessStamp Of(Process process) =>
        new(process.Id, new DateTimeOffset(process.StartTime).ToUnixTimeMilliseconds());

    public static ProcessStamp OfThisProcess()
    {
        using Process current = Process.GetCurrentProcess();
        return Of(current);
    }

    /// <summary>The very process that was stamped, or null when it has ended, whoever has its id now.</summary>
    public Process? Open()
    {
        Process? process = null;
        try
        {
            process = Process.GetProcessById(Pid);
            TimeSpan difference = new DateTimeOffset(process.StartTime) - DateTimeOffset.FromUnixTimeMilliseconds(StartedUnixMs);
            if (difference.Duration() <= s_tolerance && !process.HasExited && !IsZombie(Pid))
            {
                return process;
            }
        }
        catch (Exception exception) when (exception is ArgumentException or InvalidOperationException or Win32Exception or NotSupportedException)
        {
            // Ended between two of the questions, or somebody else's process: not ours either way.
        }

        process?.Dispose();
        return null;
    }

    public bool IsRunning()
    {
        using Process? process = Open();
        return process is not null;
    }

    /// <summary>On Linux a process that nobody has waited for keeps its id after it ended; its state is then <c>Z</c>: <c>pid (name) Z …</c>.</summary>
    private static bool IsZombie(int pid)
    {
        if (!OperatingSystem.IsLinux())
        {
            return false;
        }

        try
        {
            string stat = File.ReadAllText($"/proc/{pid}/stat");
            return stat.AsSpan(stat.LastIndexOf(')') + 1).TrimStart().StartsWith("Z");
        }
        catch (IOException)
        {
            return true;
        }
    }
}
