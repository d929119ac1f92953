using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Text.Json;
using KwaaiNet.Cli.Output;
using KwaaiNet.Cli.Processes;
using KwaaiNet.Cli.State;
using KwaaiNet.Network.Tests.Harness;

namespace KwaaiNet.Network.Tests;

/// <summary>The command from outside: what it says, how it ends, what it leaves behind.</summary>
public sealed class CommandTests : IDisposable
{
    private readonly TestFolder _folder = new();
    private readonly CommandLine _kwaainet;

    public CommandTests() => _kwaainet = new CommandLine(_folder.Path);

    public void Dispose()
    {
        // Whatever a failed test left running.
        if (NetworkStateFile.Read(new KwaaiNetHome(_folder.Path)) is { } state)
        {
            foreach (ProcessStamp stamp in state.Nodes.Select(node => node.Process).Prepend(state.Supervisor))
            {
                using Process? process = stamp.Open();
                process?.Kill();
            }
        }

        _folder.Dispose();
    }

    [Fact]
    public async Task A_detached_network_from_up_to_down()
    {
        Succeeds(await _kwaainet.RunAsync("up", "--detach", "--port", "0", "--shards", "2", "--backend", "cpu", "--model", TestModels.Endless));
        JsonElement status = JsonDocument.Parse(Succeeds(await _kwaainet.RunAsync("status", "--json"))).RootElement;
        Assert.True(status.GetProperty("complete").GetBoolean());
        Assert.Equal(4, status.GetProperty("nodes").GetArrayLength());
        Assert.Contains("shard-2", Succeeds(await _kwaainet.RunAsync("status")), StringComparison.Ordinal);
        Assert.Contains("synthetic", Succeeds(await _kwaainet.RunAsync("models")), StringComparison.Ordinal);
        Assert.Contains("api ", Succeeds(await _kwaainet.RunAsync("logs")), StringComparison.Ordinal);

        (int exit, _, string error) = await _kwaainet.RunAsync("up", "--port", "0", "--model", TestModels.Endless);
        Assert.Equal(ExitCode.Failure, exit);
        Assert.Contains("A network is up already", error, StringComparison.Ordinal);

        // A second network, in a home of its own, on the port of the first.
        using TestFolder other = new();
        int port = new Uri(status.GetProperty("url").GetString()!).Port;
        (exit, _, error) = await new CommandLine(other.Path).RunAsync("up", "--port", $"{port}", "--model", TestModels.Endless);
        Assert.Equal(ExitCode.Failure, exit);
        Assert.Contains($"Port {port} is in use", error, StringComparison.Ordinal);
        Assert.False(Directory.Exists(new KwaaiNetHome(other.Path).NodeFolder("discovery")), "something was started on a port that is taken");

        NetworkState state = NetworkStateFile.Read(new KwaaiNetHome(_folder.Path))!;
        using (Process shard = state.Nodes.Single(node => node.Name == "shard-1").Process.Open()!)
        {
            shard.Kill();
            await shard.WaitForExitAsync(TestContext.Current.CancellationToken);
        }

        (exit, string output, _) = await _kwaainet.RunAsync("status");
        Assert.Equal(ExitCode.Degraded, exit);
        Assert.Contains("shard-1 has stopped", output, StringComparison.Ordinal);
        Succeeds(await _kwaainet.RunAsync("restart", "shard-1"));
        await TestNetwork.UntilAsync(async () => (await _kwaainet.RunAsync("status")).Exit == ExitCode.Success, TimeSpan.FromSeconds(60), "all is well again");

        Succeeds(await _kwaainet.RunAsync("down"));
        Assert.Equal(ExitCode.NotRunning, (await _kwaainet.RunAsync("status")).Exit);
        Assert.Equal(ExitCode.NotRunning, (await _kwaainet.RunAsync("down")).Exit);
        Assert.All(state.Nodes, node => Assert.False(node.Process.IsRunning(), $"{node.Name} still runs"));
    }

    [Fact]
    public async Task A_network_in_the_foreground_stops_when_asked_and_leaves_nothing_running()
    {
        using Process up = _kwaainet.Start("up", "--port", "0", "--shards", "1", "--backend", "cpu", "--model", TestModels.Endless);
        Task<string> error = up.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        CancellationToken cancellationToken = TestContext.Current.CancellationToken;
        string? line;
        do
        {
            line = await up.StandardOutput.ReadLineAsync(cancellationToken).AsTask().WaitAsync(TimeSpan.FromMinutes(2), cancellationToken);
        }
        while (line?.Contains("Ctrl-C", StringComparison.Ordinal) == false);

        NetworkState state = NetworkStateFile.Read(new KwaaiNetHome(_folder.Path))!;
        Assert.All(state.Nodes, node => Assert.True(node.Process.IsRunning()));
        Assert.True(StopSignal.Send(up));
        await up.WaitForExitAsync(cancellationToken).WaitAsync(TimeSpan.FromMinutes(1), cancellationToken);
        Assert.True(up.ExitCode == ExitCode.Success, await error.WaitAsync(cancellationToken));
        Assert.All(state.Nodes, node => Assert.False(node.Process.IsRunning(), $"{node.Name} still runs"));
        Assert.Null(NetworkStateFile.Read(new KwaaiNetHome(_folder.Path)));
    }

    [Fact]
    public async Task A_killed_supervisor_leaves_no_orphans_and_no_lock()
    {
        Succeeds(await _kwaainet.RunAsync("up", "--detach", "--port", "0", "--shards", "1", "--backend", "cpu", "--model", TestModels.Endless));
        NetworkState state = NetworkStateFile.Read(new KwaaiNetHome(_folder.Path))!;
        using (Process supervisor = state.Supervisor.Open()!)
        {
            supervisor.Kill();
        }

        await TestNetwork.UntilAsync(
            () => Task.FromResult(!state.Nodes.Any(node => node.Process.IsRunning())), TimeSpan.FromSeconds(30), "the nodes have followed their supervisor");
        (int exit, _, string error) = await _kwaainet.RunAsync("status");
        Assert.Equal(ExitCode.NotRunning, exit);
        Assert.Contains("ended without being stopped", error, StringComparison.Ordinal);
        Succeeds(await _kwaainet.RunAsync("up", "--detach", "--port", "0", "--shards", "1", "--backend", "cpu", "--model", TestModels.Endless));
        Succeeds(await _kwaainet.RunAsync("down"));
    }

    [Fact]
    public async Task A_node_that_dies_while_starting_is_named_and_nothing_is_left_running()
    {
        (int exit, _, string error) = await _kwaainet.RunAsync(
            "up", "--port", "0", "--shards", "2", "--model", TestModels.Endless, "--set", "Shard:SessionTtlSeconds=-1");
        Assert.Equal(ExitCode.Failure, exit);
        Assert.Matches("shard-[12] stopped while it was starting", error);
        Assert.Contains("SessionTtlSeconds", error, StringComparison.Ordinal);
        Assert.Null(NetworkStateFile.Read(new KwaaiNetHome(_folder.Path)));
    }

    [Theory]
    [InlineData("There is no model", "up", "--model", "no-such-model")]
    [InlineData("There is no model file", "up", "--model", "missing/model.gguf")]
    [InlineData("--shards must be 1 to 1024", "up", "--shards", "0")]
    [InlineData("No network runs", "status")]
    [InlineData("There are no logs", "logs")]
    [InlineData("Nobody answers", "chat", "--url", "http://127.0.0.1:9")]
    [InlineData("No Redis answers", "up", "--discovery", "redis", "--redis", "127.0.0.1:9", "--port", "0")]
    public async Task A_command_that_cannot_go_on_says_so_and_what_to_do(string message, params string[] arguments)
    {
        bool needsModel = arguments.Contains("redis");
        (int exit, _, string error) = await _kwaainet.RunAsync(needsModel ? [.. arguments, "--model", TestModels.Endless] : arguments);
        Assert.NotEqual(ExitCode.Success, exit);
        Assert.Contains(message, error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_corrupt_model_file_is_named_before_anything_is_started()
    {
        string path = Path.Combine(_folder.Path, "corrupt.gguf");
        byte[] model = await File.ReadAllBytesAsync(TestModels.Endless, TestContext.Current.CancellationToken);
        await File.WriteAllBytesAsync(path, model[..2_000], TestContext.Current.CancellationToken);
        (int exit, _, string error) = await _kwaainet.RunAsync("up", "--port", "0", "--model", path);
        Assert.Equal(ExitCode.Failure, exit);
        Assert.Contains("corrupt cannot be served", error, StringComparison.Ordinal);
        Assert.Contains("try:", error, StringComparison.Ordinal);
        Assert.False(Directory.Exists(new KwaaiNetHome(_folder.Path).NodeFolder("discovery")));
    }

    [Fact]
    public async Task A_port_that_another_program_has_is_found_before_anything_is_started()
    {
        using TcpListener other = new(IPAddress.Loopback, 0);
        other.Start();
        int port = ((IPEndPoint)other.LocalEndpoint).Port;
        (int exit, _, string error) = await _kwaainet.RunAsync("up", "--port", $"{port}", "--model", TestModels.Endless);
        Assert.Equal(ExitCode.Failure, exit);
        Assert.Contains($"Port {port} is in use", error, StringComparison.Ordinal);
        Assert.Contains($"--port {port + 1}", error, StringComparison.Ordinal);
    }

    private static string Succeeds((int Exit, string Output, string Error) run)
    {
        Assert.True(run.Exit == ExitCode.Success, $"exit code {run.Exit}{Environment.NewLine}{run.Output}{run.Error}");
        return run.Output;
    }
}
