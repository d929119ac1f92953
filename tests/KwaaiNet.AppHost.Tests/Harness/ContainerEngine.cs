using System.ComponentModel;
using System.Diagnostics;

namespace KwaaiNet.AppHost.Tests.Harness;

/// <summary>The container engine of this machine, where there is one.</summary>
internal static class ContainerEngine
{
    /// <summary>The image that Aspire starts for Redis.</summary>
    public const string RedisImage = "redis:8.6";

    private static readonly TimeSpan s_limit = TimeSpan.FromMinutes(2);
    private static readonly string s_program = Environment.GetEnvironmentVariable("ASPIRE_CONTAINER_RUNTIME") ?? "docker";

    /// <summary>Why no Redis can be started in a container here; null: it can.</summary>
    public static async Task<string?> FindObstacleAsync()
    {
        if (await RunAsync("version") is not (0, _)) return $"No container engine answers here ('{s_program} version' fails).";

        return await RunAsync("image", "inspect", RedisImage) is (0, _) || await RunAsync("pull", "-q", RedisImage) is (0, _)
            ? null
            : $"The image {RedisImage} is not here, and no image registry gives it.";
    }

    /// <summary>Whether a container exists, running or not.</summary>
    public static async Task<bool> HasContainerAsync(string id) => (await RunAsync("ps", "-aq", "--no-trunc", "--filter", $"id={id}")).Output.Contains(id, StringComparison.Ordinal);

    /// <summary>Whether a volume exists.</summary>
    public static async Task<bool> HasVolumeAsync(string name) => await RunAsync("volume", "inspect", name) is (0, _);

    /// <summary>Removes a volume.</summary>
    public static Task RemoveVolumeAsync(string name) => RunAsync("volume", "rm", "-f", name);

    private static async Task<(int Code, string Output)> RunAsync(params string[] arguments)
    {
        try
        {
            using Process process = Process.Start(new ProcessStartInfo(s_program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true })!;
            process.ErrorDataReceived += (_, _) => { };
            process.BeginErrorReadLine();
            string output = await process.StandardOutput.ReadToEndAsync().WaitAsync(s_limit);
            await process.WaitForExitAsync().WaitAsync(s_limit);
            return (process.ExitCode, output);
        }
        catch (Win32Exception missing)
        {
            return (-1, missing.Message);
        }
    }
}
