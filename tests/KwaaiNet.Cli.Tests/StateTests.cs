using KwaaiNet.Cli.Processes;
using KwaaiNet.Cli.State;

namespace KwaaiNet.Cli.Tests;

public sealed class StateTests : IDisposable
{
    private readonly KwaaiNetHome _home = new(Directory.CreateTempSubdirectory("kwaainet-state-").FullName);

    public void Dispose() => Directory.Delete(_home.Folder, recursive: true);

    [Fact]
    public void A_process_is_recognised_by_id_and_start_together()
    {
        ProcessStamp own = ProcessStamp.OfThisProcess();
        Assert.True(own.IsRunning());
        Assert.False((own with { StartedUnixMs = own.StartedUnixMs - 60_000 }).IsRunning());
        Assert.False(new ProcessStamp(int.MaxValue, own.StartedUnixMs).IsRunning());
    }

    [Fact]
    public void State_of_a_supervisor_whose_id_somebody_else_has_now_does_not_count()
    {
        NetworkState state = State(ProcessStamp.OfThisProcess());
        NetworkStateFile.Write(_home, state);
        Assert.NotNull(NetworkStateFile.ReadRunning(_home));
        NetworkStateFile.Write(_home, state with { Supervisor = state.Supervisor with { StartedUnixMs = 1 } });
        Assert.NotNull(NetworkStateFile.Read(_home));
        Assert.Null(NetworkStateFile.ReadRunning(_home));
    }

    [Theory]
    [InlineData("")]
    [InlineData("{")]
    [InlineData("[]")]
    [InlineData("{\"supervisor\":null}")]
    [InlineData("not json")]
    public void A_damaged_state_file_is_no_state(string content)
    {
        Directory.CreateDirectory(_home.RunFolder);
        File.WriteAllText(_home.StateFile, content);
        Assert.Null(NetworkStateFile.ReadRunning(_home));
    }

    [Fact]
    public async Task Down_in_a_home_where_nothing_was_ever_up_says_so()
    {
        using TestTerminal terminal = new();
        Assert.Equal(Output.ExitCode.NotRunning, await Commands.DownCommand.RunAsync(terminal.Context, TestContext.Current.CancellationToken));
        Assert.Equal($"No network runs.{Environment.NewLine}", terminal.Output);
    }

    [Fact]
    public void A_home_has_one_owner()
    {
        using (NetworkLock? first = NetworkLock.TryTake(_home))
        {
            Assert.NotNull(first);
            Assert.Null(NetworkLock.TryTake(_home));
        }

        using NetworkLock? second = NetworkLock.TryTake(_home);
        Assert.NotNull(second);
    }

    [Fact]
    public void A_host_is_found_beside_the_command_and_else_in_the_build()
    {
        string published = Path.Combine(_home.Folder, "published");
        Directory.CreateDirectory(published);
        File.WriteAllText(Path.Combine(published, "KwaaiNet.ShardNode.dll"), "");
        Assert.Equal(Path.Combine(published, "KwaaiNet.ShardNode.dll"), HostProgram.Find(HostProgram.ShardNode, published).AssemblyPath);
        Assert.True(File.Exists(HostProgram.Find(HostProgram.ApiNode).AssemblyPath));
        Assert.Contains("KwaaiNet.ApiNode", Assert.Throws<Output.CommandFailure>(() => HostProgram.Find(HostProgram.ApiNode, published)).Message, StringComparison.Ordinal);
    }

    private static NetworkState State(ProcessStamp supervisor) => new()
    {
        Supervisor = supervisor,
        Url = "http://127.0.0.1:1",
        Model = "m",
        ModelPath = "m.gguf",
        ControlPipe = "none",
        Nodes = [new NodeState("discovery", supervisor)],
    };
}
