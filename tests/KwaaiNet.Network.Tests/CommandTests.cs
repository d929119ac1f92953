using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
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

    [Theory]
    [InlineData()]
    [InlineData("--set", "Node:LinkPort=-1")]
    [InlineData("--rtt-ms", "2")]
    public async Task A_network_is_measured_beside_the_engine_over_whatever_its_nodes_stream(params string[] options)
    {
        string printed = Succeeds(await _kwaainet.RunAsync(
            ["bench", "network", "--model", TestModels.Endless, "--shards", "2", "--users", "2", "--prompt", "24", "--generate", "16", "--rounds", "2", "--shared-prefix", "8", "--json", .. options]));
        JsonElement result = JsonDocument.Parse(printed).RootElement;
        foreach (string measured in new[] { "ttft_ms_p50", "ttft_ms_p99", "tpot_ms_p50", "tpot_ms_p99", "total_tok_s", "steady_tok_s", "first_tok_s", "fairness", "single_process_tok_s", "ratio" })
            Assert.True(result.GetProperty(measured).GetDouble() > 0, $"{measured}: {printed}");
        Assert.Equal(["api", "client", "shard-1", "shard-2"], result.GetProperty("cpu_us_per_token").EnumerateObject().Select(process => process.Name).Order());
        // Nothing is left of it: no network in this home, no process.
        Assert.Equal(ExitCode.NotRunning, (await _kwaainet.RunAsync("status")).Exit);
    }

    [Fact]
    public async Task A_detached_network_from_up_to_down()
    {
        Succeeds(await _kwaainet.RunAsync("up", "--detach", "--port", "0", "--shards", "2", "--backend", "cpu", "--no-restart", "--model", TestModels.Endless));
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
        Assert.Contains("shard-1 has stopped, and is not started again: nodes are not started again (--no-restart)", output, StringComparison.Ordinal);
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

    [Fact]
    public async Task A_proxy_in_the_environment_is_asked_for_nothing_of_our_own()
    {
        using TcpListener proxy = new(IPAddress.Loopback, 0);
        proxy.Start();
        string address = $"http://{proxy.LocalEndpoint}";
        using CommandHome home = new(("http_proxy", address), ("https_proxy", address), ("all_proxy", address), ("no_proxy", ""));
        await home.UpAsync("--shards", "2");
        Succeeds(await home.Command.RunAsync("status"));
        Succeeds(await home.Command.RunAsync("models"));
        using Process chat = home.Command.Start("chat");
        await chat.StandardInput.WriteLineAsync("/exit");
        await chat.WaitForExitAsync(TestContext.Current.CancellationToken).WaitAsync(TimeSpan.FromMinutes(1), TestContext.Current.CancellationToken);
        Assert.Equal(ExitCode.Success, chat.ExitCode);
        Succeeds(await home.Command.RunAsync("down"));
        Assert.False(proxy.Pending(), "the proxy was asked");
    }

    [Fact]
    public async Task A_Redis_that_wants_a_password_is_an_error_at_once_in_its_own_words()
    {
        // Whatever is asked, it answers as Redis does without its password.
        const string NoAuth = "-NOAUTH Authentication required.\r\n";
        using TcpListener redis = new(IPAddress.Loopback, 0);
        redis.Start();
        Task serving = ServeAsync();
        long start = Stopwatch.GetTimestamp();
        (int exit, _, string error) = await _kwaainet.RunAsync(
            [.. CommandHome.Up, "--discovery", "redis", "--redis", $"{redis.LocalEndpoint}"]);
        Assert.Equal(ExitCode.Failure, exit);
        Assert.Contains("NOAUTH", error, StringComparison.Ordinal);
        Assert.True(Stopwatch.GetElapsedTime(start) < TimeSpan.FromSeconds(30), error);
        redis.Stop();
        await serving;

        async Task ServeAsync()
        {
            try
            {
                while (true)
                {
                    _ = RefuseAsync(await redis.AcceptSocketAsync(TestContext.Current.CancellationToken));
                }
            }
            catch (Exception exception) when (exception is SocketException or ObjectDisposedException)
            {
                // The test is over.
            }
        }

        static async Task RefuseAsync(Socket client)
        {
            using (client)
            {
                try
                {
                    byte[] buffer = new byte[4096];
                    int read;
                    while ((read = await client.ReceiveAsync(buffer)) > 0)
                    {
                        // A command of the protocol is an array: '*', then its words.
                        int commands = buffer.AsSpan(0, read).Count((byte)'*');
                        await client.SendAsync(Encoding.ASCII.GetBytes(string.Concat(Enumerable.Repeat(NoAuth, commands))));
                    }
                }
                catch (SocketException)
                {
                    // Discovery has heard enough.
                }
            }
        }
    }

    [Fact]
    public async Task A_model_that_is_a_named_pipe_is_refused_at_once_and_nobody_waits_for_its_other_end()
    {
        Assert.SkipUnless(ProcessSignal.IsSupported, "Windows has no pipes among its files.");
        string path = Path.Combine(_folder.Path, "pipe.gguf");
        using (Process make = Process.Start("mkfifo", [path]))
        {
            await make.WaitForExitAsync(TestContext.Current.CancellationToken);
        }

        foreach (string[] arguments in new[] { new[] { "show", path }, ["up", "--port", "0", "--model", path] })
        {
            (int exit, _, string error) = await _kwaainet.RunAsync(arguments).WaitAsync(TimeSpan.FromMinutes(1), TestContext.Current.CancellationToken);
            Assert.Equal(ExitCode.Failure, exit);
            Assert.Contains("pipe.gguf", error, StringComparison.Ordinal);
        }
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
    public async Task A_port_that_another_program_has_is_found_before_anything_is_started_and_the_program_is_named()
    {
        using TcpListener other = new(IPAddress.Loopback, 0);
        other.Start();
        int port = ((IPEndPoint)other.LocalEndpoint).Port;
        (int exit, _, string error) = await _kwaainet.RunAsync("up", "--port", $"{port}", "--model", TestModels.Endless);
        Assert.Equal(ExitCode.Failure, exit);
        // macOS may not tell; the others know whose process this test is.
        string holder = OperatingSystem.IsMacOS() ? "" : $"(process {Environment.ProcessId})";
        Assert.Matches($"Port {port} is in use by .*{Regex.Escape(holder)}", error);
        Assert.Contains($"--port {port + 1}", error, StringComparison.Ordinal);
    }

    private static string Succeeds((int Exit, string Output, string Error) run)
    {
        Assert.True(run.Exit == ExitCode.Success, $"exit code {run.Exit}{Environment.NewLine}{run.Output}{run.Error}");
        return run.Output;
    }
}
