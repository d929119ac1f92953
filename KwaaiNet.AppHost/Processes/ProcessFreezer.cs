using System.ComponentModel;
using System.Diagnostics;
using System.Runtime.InteropServices;

namespace KwaaiNet.AppHost.Processes;

/// <summary>Makes a process of this machine stand still, all its threads, and go on: SIGSTOP and SIGCONT, or what Windows has for them.</summary>
internal static partial class ProcessFreezer
{
    // The numbers of the two signals are the kernel's, and Linux and the BSDs, macOS among them, count differently.
    private static readonly int s_stop = OperatingSystem.IsLinux() ? 19 : 17;
    private static readonly int s_continue = OperatingSystem.IsLinux() ? 18 : 19;

    /// <summary>Stops every thread of the process.</summary>
    /// <exception cref="Win32Exception">The system does not allow it, or the process is gone.</exception>
    public static void Freeze(int id) => Send(id, freeze: true);

    /// <summary>Lets every thread go on.</summary>
    /// <exception cref="Win32Exception">The system does not allow it, or the process is gone.</exception>
    public static void Thaw(int id) => Send(id, freeze: false);

    private static void Send(int id, bool freeze)
    {
        if (!OperatingSystem.IsWindows())
        {
            if (Kill(id, freeze ? s_stop : s_continue) != 0) throw new Win32Exception(Marshal.GetLastPInvokeError());

            return;
        }

        try
        {
            using Process process = Process.GetProcessById(id);
            int status = freeze ? SuspendProcess(process.SafeHandle) : ResumeProcess(process.SafeHandle);
            if (status < 0) throw new Win32Exception($"NTSTATUS 0x{status:x8}");
        }
        catch (Exception gone) when (gone is ArgumentException or InvalidOperationException)
        {
            throw new Win32Exception(gone.Message, gone);
        }
    }

    [LibraryImport("libc", EntryPoint = "kill", SetLastError = true)]
    private static partial int Kill(int id, int signal);

    [LibraryImport("ntdll", EntryPoint = "NtSuspendProcess")]
    private static partial int SuspendProcess(SafeHandle process);

    [LibraryImport("ntdll", EntryPoint = "NtResumeProcess")]
    private static partial int ResumeProcess(SafeHandle process);
}
