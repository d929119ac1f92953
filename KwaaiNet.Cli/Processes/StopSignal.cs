using System.ComponentModel;
using System.Diagnostics;
using System.Runtime.InteropServices;

namespace KwaaiNet.Cli.Processes;

/// <summary>Asks a process to stop in order, as a terminal or a service manager would: SIGTERM, and Ctrl-Break on Windows.</summary>
internal static partial class StopSignal
{
    private const int Sigterm = 15;
    private const uint CtrlBreakEvent = 1;

    /// <summary>Sends the request; false when the process could not be asked and has to be killed.</summary>
    public static bool Send(Process process)
    {
        try
        {
            if (process.HasExited)
            {
                return true;
            }

            // On Windows a node is started as a process group of its own (CreateNewProcessGroup), so the event reaches it alone.
            return OperatingSystem.IsWindows()
                ? GenerateConsoleCtrlEvent(CtrlBreakEvent, (uint)process.Id)
                : kill(process.Id, Sigterm) == 0;
        }
        catch (Exception exception) when (exception is InvalidOperationException or Win32Exception)
        {
            return false;
        }
    }

    /// <summary>Leaves the terminal's session, so that closing the terminal does not end a network that was started with <c>--detach</c>.</summary>
    public static void LeaveTerminal()
    {
        if (!OperatingSystem.IsWindows())
        {
            // Fails only for a process that leads a group already, and then there is nothing to leave.
            _ = setsid();
        }
    }

#pragma warning disable IDE1006 // The C library's own names.
    [LibraryImport("libc", SetLastError = true)]
    private static partial int kill(int pid, int signal);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int setsid();
#pragma warning restore IDE1006

    [LibraryImport("kernel32", SetLastError = true)]
    [return: MarshalAs(UnmanagedType.Bool)]
    private static partial bool GenerateConsoleCtrlEvent(uint controlEvent, uint processGroup);
}
