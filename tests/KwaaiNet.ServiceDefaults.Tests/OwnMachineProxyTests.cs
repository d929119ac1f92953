using System.Net;

namespace KwaaiNet.ServiceDefaults.Tests;

public sealed class OwnMachineProxyTests
{
    // Nobody listens on port 1.
    private static readonly OwnMachineProxy s_proxy = new(new WebProxy("http://127.0.0.1:1"));

    [Fact]
    public async Task What_runs_on_this_machine_is_not_reached_through_the_proxy()
    {
        await using TestNode node = await TestNode.StartAsync();
        using HttpClient client = new(new SocketsHttpHandler { Proxy = s_proxy });
        Assert.Equal("hello", await client.GetStringAsync(new Uri(node.Http), TestContext.Current.CancellationToken));
    }

    [Theory]
    [InlineData("http://localhost:4317", true)]
    [InlineData("http://127.0.0.1:4317", true)]
    [InlineData("http://[::1]:4317", true)]
    [InlineData("https://registry.example", false)]
    public void Only_this_machine_goes_without_the_proxy(string address, bool bypassed)
    {
        Assert.Equal(bypassed, s_proxy.IsBypassed(new Uri(address)));
        Assert.Equal(bypassed, s_proxy.GetProxy(new Uri(address)) is null);
    }

    [Fact]
    public void A_host_s_clients_use_it_unless_they_name_another()
    {
        Microsoft.AspNetCore.Builder.WebApplication.CreateBuilder().AddServiceDefaults();
        Assert.True(HttpClient.DefaultProxy.IsBypassed(new Uri("http://127.0.0.1:4317")));
        Assert.IsType<OwnMachineProxy>(HttpClient.DefaultProxy);
    }
}
