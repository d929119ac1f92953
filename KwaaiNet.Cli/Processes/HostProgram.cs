using System.Diagnostics;
using System.Runtime.InteropServices;
using KwaaiNet.Cli.Installation;
using KwaaiNet.Cli.Output;

namespace KwaaiNet.Cli.Processes;

/// <summary>A host's built program, and how to start it.</summary>
/// <param name="Name">The assembly's name: <c>KwaaiNet.ShardNode</c>.</param>
/// <param name="AssemblyPath">Its <c>.dll</c>.</param>
internal sealed record HostProgram(string Name, string AssemblyPath)
{
    public const string Discovery = "KwaaiNet.Discovery";
    public const string ShardNode = "KwaaiNet.ShardNode";
    public const string ApiNode = "KwaaiNet.ApiNode";

    /// <summary>Finds a host: beside the command when they were published together, else where the repository's build puts it.</summary>
    /// <exception cref="CommandFailure">It is not there.</exception>
    public static HostProgram Find(string name) => Find(name, AppContext.BaseDirectory);

    internal static HostProgram Find(string name, string baseFolder)
    {
        string beside = Path.Combine(baseFolder, name + ".dll");
        if (File.Exists(beside))
        {
            return new HostProgram(name, beside);
        }

        if (RepositoryFolder.Find(baseFolder) is { } root)
        {
            // ROOT/KwaaiNet.Cli/bin/Release/net10.0/: a host is taken from the same configuration as the command itself.
            DirectoryInfo framework = new(Path.TrimEndingDirectorySeparator(baseFolder));
            string own = framework.Parent?.Name ?? "Release";
            foreach (string configuration in new[] { own, "Release", "Debug" })
            {
                string built = Path.Combine(root, name, "bin", configuration, framework.Name, name + ".dll");
                if (File.Exists(built))
                {
                    return new HostProgram(name, built);
                }
            }
        }

        throw new CommandFailure(
            $"The program {name} was not found beside kwaainet.",
            "build everything with 'dotnet build KwaaiNet.Core.slnf -c Release', or publish the hosts into the same folder as kwaainet.");
    }

    /// <summary>How to start it: its own executable where the build made one (it shows under its name in a process list), else through <c>dotnet</c>.</summary>
    public ProcessStartInfo ToStartInfo()
    {
        string executable = Path.ChangeExtension(AssemblyPath, OperatingSystem.IsWindows() ? ".exe" : null);
        ProcessStartInfo start = new() { WorkingDirectory = Path.GetDirectoryName(AssemblyPath) };
        string? dotnetRoot = DotnetRoot();
        if (File.Exists(executable))
        {
            start.FileName = executable;
        }
        else
        {
            start.FileName = dotnetRoot is null ? "dotnet" : Path.Combine(dotnetRoot, OperatingSystem.IsWindows() ? "dotnet.exe" : "dotnet");
            start.ArgumentList.Add(AssemblyPath);
        }

        if (dotnetRoot is not null)
        {
            // The runtime that runs this command runs the hosts, wherever it is installed.
            start.Environment["DOTNET_ROOT"] = dotnetRoot;
        }

        return start;
    }

    /// <summary>The folder of <c>dotnet</c>: three above <c>shared/Microsoft.NETCore.App/10.0.x/</c>; null in a self-contained program.</summary>
    private static string? DotnetRoot()
    {
        string root = Path.GetFullPath(Path.Combine(RuntimeEnvironment.GetRuntimeDirectory(), "..", "..", ".."));
        return File.Exists(Path.Combine(root, OperatingSystem.IsWindows() ? "dotnet.exe" : "dotnet")) ? root : null;
    }
}
