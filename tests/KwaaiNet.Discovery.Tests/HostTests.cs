using System.Net;
using KwaaiNet.Discovery.Hosting;
using KwaaiNet.Protocol.Discovery;
using KwaaiNet.ServiceDefaults.Hosting;

namespace KwaaiNet.Discovery.Tests;

public sealed class HostTests
{
    [Theory]
    [InlineData("--Discovery:Backend=dht")]
    [InlineData("--Discovery:Backend=redis")]
    [InlineData("--Discovery:Backend=etcd")]
    [InlineData("--Discovery:MaxNodes=0")]
    [InlineData("--Node:GrpcPort=")]
    public async Task A_bad_setting_ends_the_program_with_2(string setting) =>
        Assert.Equal(NodeProgram.BadConfiguration, await NodeProgram.RunAsync(
            ["--Node:GrpcPort=0", "--Node:HttpPort=0", "--Logging:LogLevel:Default=None", setting], DiscoveryHost.Compose));

    [Fact]
    public async Task A_redis_that_is_down_makes_the_service_unhealthy_not_dead()
    {
        await using DiscoveryServer server = new();
        // Nobody listens on port 1.
        await server.StartAsync("--ConnectionStrings:registry=127.0.0.1:1");
        using HttpClient http = new();
        using HttpResponseMessage health = await http.GetAsync(new Uri(server.Http + "/health"), TestContext.Current.CancellationToken);
        Assert.Equal(HttpStatusCode.ServiceUnavailable, health.StatusCode);
        Assert.Equal("Healthy", await http.GetStringAsync(new Uri(server.Http + "/alive"), TestContext.Current.CancellationToken));
        DirectoryUnavailableException error = await Assert.ThrowsAsync<DirectoryUnavailableException>(
            () => server.Client.LookupAsync(new NodeQuery(), TestContext.Current.CancellationToken));
        Assert.Contains("Redis at 127.0.0.1:1 cannot be used: nobody answers there", error.Message, StringComparison.Ordinal);
    }
}
