using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using KwaaiNet.ServiceDefaults.Hosting;
using Microsoft.AspNetCore.Builder;

namespace KwaaiNet.ServiceDefaults.Tests;

public sealed class NodeProgramTests
{
    public static TheoryData<string, string, string> BadSettings => new()
    {
        { "Node:TtlMilliseconds", "6000", "Node:HeartbeatMilliseconds" },
        { "Node:Host", "somewhere", "Node:Host" },
        { "Node:AdvertisedEndpoint", "127.0.0.1:1", "Node:AdvertisedEndpoint" },
        { "Node:Discovery", "http://127.0.0.1:1", "Node:Discovery" },
        { "Node:DiscoveryNodeId", "me", "Node:DiscoveryNodeId" },
        { "Node:GrpcPort", "70000", "GrpcPort" },
        { "Node:GrpcPort", "many", "Node:GrpcPort" },
        { "Node:Name", "", "Name" },
    };

    [Theory]
    [MemberData(nameof(BadSettings))]
    public async Task A_bad_setting_is_named_and_ends_the_program_with_2(string key, string value, string named)
    {
        (int code, string line) = await RunAsync(() => TestNode.Compose(("Node:GrpcPort", "0"), (key, value)));
        Assert.Equal(NodeProgram.BadConfiguration, code);
        Assert.Contains(named, line, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_node_without_ports_is_refused()
    {
        (int code, string line) = await RunAsync(() => TestNode.Compose());
        Assert.Equal(NodeProgram.BadConfiguration, code);
        Assert.Contains("Node:GrpcPort", line, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("Node:GrpcPort")]
    [InlineData("Node:HttpPort")]
    public async Task A_port_in_use_is_named(string setting)
    {
        using TcpListener taken = new(IPAddress.Loopback, 0);
        taken.Start();
        int port = ((IPEndPoint)taken.LocalEndpoint).Port;
        (int code, string line) = await RunAsync(() => TestNode.Compose((setting, $"{port}")));
        Assert.Equal(NodeProgram.Failed, code);
        Assert.Contains($"{port}", line, StringComparison.Ordinal);
        Assert.Contains(setting, line, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_port_in_use_on_the_other_loopback_is_named()
    {
        Assert.SkipUnless(Socket.OSSupportsIPv6, "This machine has no IPv6.");
        using TcpListener taken = new(IPAddress.IPv6Loopback, 0);
        taken.Start();
        int port = ((IPEndPoint)taken.LocalEndpoint).Port;
        (int code, string line) = await RunAsync(() => TestNode.Compose(("Node:HttpPort", $"{port}")));
        Assert.Equal(NodeProgram.Failed, code);
        Assert.Contains($"{port}", line, StringComparison.Ordinal);
        Assert.Contains("Node:HttpPort", line, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_damaged_key_is_named()
    {
        string home = Directory.CreateTempSubdirectory("kwaainet-home-").FullName;
        try
        {
            await File.WriteAllTextAsync(Path.Combine(home, NodeHosting.KeyFileName), "no key", TestContext.Current.CancellationToken);
            (int code, string line) = await RunAsync(() => TestNode.Compose(("Node:GrpcPort", "0"), ("Node:Home", home)));
            Assert.Equal(NodeProgram.Failed, code);
            Assert.Contains(home, line, StringComparison.Ordinal);
        }
        finally
        {
            Directory.Delete(home, recursive: true);
        }
    }

    [Fact]
    public void A_failure_with_a_code_of_its_own_ends_the_program_with_it()
    {
        (string line, int code) = NodeProgram.Describe(new AggregateException(new NodeFailureException("It broke.\nBadly.", NodeProgram.DeviceFailed)));
        Assert.Equal(("It broke. Badly.", NodeProgram.DeviceFailed), (line, code));
    }

    [Fact]
    public async Task Stopping_is_no_failure()
    {
        WebApplication app = TestNode.Compose(("Node:GrpcPort", "0"));
        app.Lifetime.ApplicationStarted.Register(app.Lifetime.StopApplication);
        Assert.Equal(NodeProgram.Ok, await NodeProgram.RunAsync([], _ => app));
    }

    [Fact]
    public async Task A_node_stops_when_its_parent_is_gone() =>
        // No system gives this id to a process.
        Assert.Equal(NodeProgram.Ok, await NodeProgram.RunAsync([], _ => TestNode.Compose(("Node:GrpcPort", "0"), ("Node:ParentProcessId", "2147483646"))));

    [Fact]
    public async Task A_process_that_started_after_the_node_is_not_its_parent_whatever_its_number()
    {
        using Process stranger = Process.Start(OperatingSystem.IsWindows() ? "ping" : "sleep", OperatingSystem.IsWindows() ? "-n 300 127.0.0.1" : "300");
        try
        {
            Task<int> node = NodeProgram.RunAsync([], _ => TestNode.Compose(("Node:GrpcPort", "0"), ("Node:ParentProcessId", $"{stranger.Id}")));
            Assert.Equal(NodeProgram.Ok, await node.WaitAsync(TimeSpan.FromSeconds(60), TestContext.Current.CancellationToken));
            Assert.False(stranger.HasExited);
        }
        finally
        {
            stranger.Kill();
        }
    }

    private static async Task<(int Code, string Line)> RunAsync(Func<WebApplication> compose)
    {
        Exception error = await Assert.ThrowsAnyAsync<Exception>(async () =>
        {
            await using WebApplication app = compose();
            await app.StartAsync(TestContext.Current.CancellationToken);
        });
        (string line, int code) = NodeProgram.Describe(error);
        Assert.DoesNotContain('\n', line);
        return (code, line);
    }
}
