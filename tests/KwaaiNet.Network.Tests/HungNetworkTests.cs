using System.Diagnostics;
using KwaaiNet.Cli.Output;
using KwaaiNet.Cli.State;
using KwaaiNet.Network.Tests.Harness;

namespace KwaaiNet.Network.Tests;

/// <summary>Processes that are frozen, and terminals that go away: nothing stays behind.</summary>
public sealed class HungNetworkTests : IDisposable
{
    private static readonly TimeSpan s_patience = TimeSpan.FromMinutes(2);
    private readonly CommandHome _home = new();

    public void Dispose() => _home.Dispose();

    [Fact]
    public async Task Down_ends_though_the_supervisor_and_a_shard_are_frozen()
    {
        Assert.SkipUnless(ProcessSignal.IsSupported, ProcessSignal.SkipReason);
        NetworkState state = await _home.UpAsync("--shards", "1");
        await ProcessSignal.FreezeAsync(state.Supervisor.Pid);
        await ProcessSignal.FreezeAsync(PidOf(state, "shard-1"));
        await DownAsync(state);
    }

    [Fact]
    public async Task Down_ends_a_frozen_node_that_its_supervisor_asks_in_vain()
    {
        Assert.SkipUnless(ProcessSignal.IsSupported, ProcessSignal.SkipReason);
        NetworkState state = await _home.UpAsync("--shards", "1");
        await ProcessSignal.FreezeAsync(PidOf(state, "shard-1"));
        await DownAsync(state);
    }

    [Fact]
    public async Task Down_ends_though_a_restart_waits_for_a_discovery_that_is_gone()
    {
        NetworkState state = await _home.UpAsync("--shards", "1", "--no-restart");
        using (Process discovery = state.Nodes.Single(node => node.Name == "discovery").Process.Open()!)
        {
            discovery.Kill();
            await discovery.WaitForExitAsync(TestContext.Current.CancellationToken);
        }

        // Without discovery it waits to be told its blocks.
        using Process waiting = _home.Command.Start("restart", "shard-1");
        int before = PidOf(state, "shard-1");
        await TestNetwork.UntilAsync(() => Task.FromResult(PidOf(_home.State!, "shard-1") != before), s_patience, "the restart is under way");
        (int exit, _, string error) = await _home.Command.RunAsync("restart", "discovery");
        Assert.True(exit == ExitCode.Success, error);
        await DownAsync(_home.State!);
        await waiting.WaitForExitAsync(TestContext.Current.CancellationToken).WaitAsync(s_patience, TestContext.Current.CancellationToken);
    }

    [Fact]
    public async Task The_next_network_finds_no_orphan_of_a_killed_supervisor_not_even_a_frozen_one()
    {
        Assert.SkipUnless(ProcessSignal.IsSupported, ProcessSignal.SkipReason);
        NetworkState state = await _home.UpAsync("--shards", "1");
        await ProcessSignal.FreezeAsync(PidOf(state, "shard-1"));
        using (Process supervisor = state.Supervisor.Open()!)
        {
            supervisor.Kill();
            await supervisor.WaitForExitAsync(TestContext.Current.CancellationToken);
        }

        NetworkState next = await _home.UpAsync("--shards", "1");
        Assert.All(state.Nodes, node => Assert.False(node.Process.IsRunning(), $"{node.Name} of the network before still runs"));
        await DownAsync(next);
    }

    [Fact]
    public async Task A_terminal_that_is_closed_stops_the_network_as_Ctrl_C_does()
    {
        Assert.SkipUnless(ProcessSignal.IsSupported, ProcessSignal.SkipReason);
        Assert.SkipUnless(await ProcessSignal.IsHangUpHeardAsync(), "Hang-ups are ignored here (nohup): nobody would hear of the terminal's end.");
        using Process up = _home.Command.Start([.. CommandHome.Up, "--shards", "1"]);
        Task<string> error = up.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        while (await up.StandardOutput.ReadLineAsync(TestContext.Current.CancellationToken).AsTask().WaitAsync(s_patience, TestContext.Current.CancellationToken) is { } line
            && !line.Contains("Ctrl-C", StringComparison.Ordinal))
        {
            // On its way up.
        }

        // As the system does it: everyone in the terminal hears, and nobody can write to it any more.
        NetworkState state = _home.State!;
        up.StandardOutput.Close();
        await ProcessSignal.HangUpAsync([up.Id, .. state.Nodes.Select(node => node.Process.Pid)]);
        await up.WaitForExitAsync(TestContext.Current.CancellationToken).WaitAsync(s_patience, TestContext.Current.CancellationToken);
        Assert.True(up.ExitCode == ExitCode.Success, $"exit code {up.ExitCode}: {await error.WaitAsync(TestContext.Current.CancellationToken)}");
        KwaaiNetHome home = new(_home.Folder);
        // 0: it stopped in order. 137: it was ended because it took too long for that, which a busy machine may bring about. Never 129 (hung up)
        // or 134 (aborted, as who writes to a terminal that is gone).
        Assert.All(state.Nodes, node => Assert.Matches("the process ended with exit code (0|137|143)\\b", File.ReadAllText(home.LogFile(node.Name))));
        Assert.All(state.Nodes, node => Assert.False(node.Process.IsRunning(), $"{node.Name} still runs"));
    }

    private static int PidOf(NetworkState state, string node) => state.Nodes.Single(entry => entry.Name == node).Process.Pid;

    private async Task DownAsync(NetworkState state)
    {
        // That its waits add up to no more than 15 s is held by DownCommandTests, on a clock; how long that is on a busy machine nobody knows.
        (int exit, string output, string error) = await _home.Command.RunAsync("down").WaitAsync(s_patience, TestContext.Current.CancellationToken);
        Assert.True(exit == ExitCode.Success, $"exit code {exit}{Environment.NewLine}{output}{error}");
        Assert.All(state.Nodes, node => Assert.False(node.Process.IsRunning(), $"{node.Name} still runs"));
        Assert.False(state.Supervisor.IsRunning(), "the supervisor still runs");
        Assert.Equal(ExitCode.NotRunning, (await _home.Command.RunAsync("status")).Exit);
    }
}
