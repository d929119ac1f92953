using System.Diagnostics;

namespace KwaaiNet.Network.Tests.Harness;

/// <summary>Signals as a terminal, a debugger or an unkind person sends them; Unix only.</summary>
internal static class ProcessSignal
{
    public const string SkipReason = "Windows has no such signal.";

    public static bool IsSupported => !OperatingSystem.IsWindows();

    /// <summary>Whether processes started from here hear a hang-up: under nohup(1) they do not, which is what it is for.</summary>
    public static async Task<bool> IsHangUpHeardAsync()
    {
        ProcessStartInfo start = new("sh", ["-c", "kill -HUP $$; echo ignored"]) { RedirectStandardOutput = true };
        using Process shell = Process.Start(start)!;
        string said = await shell.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        await shell.WaitForExitAsync(TestContext.Current.CancellationToken);
        return said.Length == 0;
    }

    public static Task FreezeAsync(int pid) => SendAsync("STOP", pid);

    public static Task ThawAsync(int pid) => SendAsync("CONT", pid);

    public static Task HangUpAsync(params int[] pids) => SendAsync("HUP", pids);

    // The numbers behind the names differ between systems; kill(1) knows its own.
    private static async Task SendAsync(string signal, params int[] pids)
    {
        using Process kill = Process.Start("kill", [$"-{signal}", .. pids.Select(pid => $"{pid}")]);
        await kill.WaitForExitAsync(TestContext.Current.CancellationToken);
        Assert.Equal(0, kill.ExitCode);
    }
}
