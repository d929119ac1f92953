using System.Diagnostics;
using KwaaiNet.Cli.Output;
using KwaaiNet.Cli.State;

namespace KwaaiNet.Network.Tests.Harness;

/// <summary>A home of a test's own with the command in it, and the end of whatever a failed test left running there.</summary>
/// <param name="environment">Variables for the command.</param>
internal sealed class CommandHome(params (string Name, string Value)[] environment) : IDisposable
{
    private readonly TestFolder _folder = new();

    /// <summary>A small network on ports of its own; followed by what a test adds.</summary>
    public static IReadOnlyList<string> Up => ["up", "--port", "0", "--backend", "cpu", "--model", TestModels.Endless];

    public string Folder => _folder.Path;

    public CommandLine Command => field ??= new CommandLine(_folder.Path, environment);

    /// <summary>What the command has written down; null: nothing runs.</summary>
    public NetworkState? State => NetworkStateFile.Read(new KwaaiNetHome(_folder.Path));

    /// <summary>Brings a network up that stays.</summary>
    public async Task<NetworkState> UpAsync(params string[] arguments)
    {
        (int exit, string output, string error) = await Command.RunAsync([.. Up, "--detach", .. arguments]);
        Assert.True(exit == ExitCode.Success, $"exit code {exit}{Environment.NewLine}{output}{error}");
        return State!;
    }

    public void Dispose()
    {
        if (State is { } state)
        {
            foreach (ProcessStamp stamp in state.Nodes.Select(node => node.Process).Prepend(state.Supervisor))
            {
                using Process? process = stamp.Open();
                process?.Kill();
            }
        }

        _folder.Dispose();
    }
}
