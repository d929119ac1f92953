using System.Net;
using System.Net.NetworkInformation;
using System.Net.Sockets;
using KwaaiNet.Cli.Http;
using KwaaiNet.Cli.Processes;

namespace KwaaiNet.Cli.Tests;

/// <summary>What the command must know of the machine it runs on.</summary>
public sealed class OwnMachineTests
{
    [Theory]
    [InlineData("http://localhost:11435", false)]
    [InlineData("http://127.0.0.1:11435", false)]
    [InlineData("http://[::1]:11435", false)]
    [InlineData("http://203.0.113.7:11435", true)]
    [InlineData("https://api.example.org", true)]
    public void This_machine_is_never_asked_through_a_proxy_and_others_may_be(string address, bool proxy)
    {
        using SocketsHttpHandler handler = DirectHttp.HandlerFor(new Uri(address));
        Assert.Equal(proxy, handler.UseProxy);
    }

    [Fact]
    public void An_address_of_a_network_card_is_this_machine_too()
    {
        foreach (IPAddress own in NetworkInterface.GetAllNetworkInterfaces()
            .SelectMany(card => card.GetIPProperties().UnicastAddresses).Select(address => address.Address)
            .Where(address => address.AddressFamily == AddressFamily.InterNetwork))
        {
            using SocketsHttpHandler handler = DirectHttp.HandlerFor(new Uri($"http://{own}:11435"));
            Assert.False(handler.UseProxy, own.ToString());
        }
    }

    [Theory]
    [InlineData("127.0.0.1")]
    [InlineData("::1")]
    public void The_process_that_holds_a_port_is_named(string address)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux() || OperatingSystem.IsWindows(), "Other systems tell only where lsof is installed.");
        IPAddress local = IPAddress.Parse(address);
        Assert.SkipWhen(local.AddressFamily == AddressFamily.InterNetworkV6 && !Socket.OSSupportsIPv6, "This machine has no IPv6.");
        using TcpListener listener = new(local, 0);
        listener.Start();
        PortHolder? holder = PortHolder.Find(((IPEndPoint)listener.LocalEndpoint).Port);
        Assert.Equal(Environment.ProcessId, holder?.Pid);
        Assert.Contains($"(process {Environment.ProcessId})", holder!.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void A_port_that_nobody_holds_has_no_holder()
    {
        using TcpListener listener = new(IPAddress.Loopback, 0);
        listener.Start();
        int port = ((IPEndPoint)listener.LocalEndpoint).Port;
        listener.Stop();
        Assert.Null(PortHolder.Find(port));
    }
}
