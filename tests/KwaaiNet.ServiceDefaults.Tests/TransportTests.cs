using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json;
using Grpc.Core;
using KwaaiNet.Protocol.Nodes;
using KwaaiNet.Protocol.Transport;
using KwaaiNet.Protocol.Wire;

namespace KwaaiNet.ServiceDefaults.Tests;

public sealed class TransportTests
{
    [Fact]
    public async Task Two_nodes_know_one_another()
    {
        await using TestNode server = await TestNode.StartAsync();
        using NodeIdentity identity = NodeIdentity.Create();
        using NodeChannels channels = new(identity);
        Assert.Equal(identity.NodeId, await server.AskAsync(channels, server.NodeId));
        Assert.Equal(identity.NodeId, await server.AskAsync(channels, nodeId: null));
        Assert.Same(channels.Get(server.Grpc, null), channels.Get(server.Grpc, null));
    }

    [Fact]
    public async Task Another_node_than_expected_is_refused_by_name()
    {
        await using TestNode server = await TestNode.StartAsync();
        using NodeIdentity identity = NodeIdentity.Create();
        using NodeIdentity expected = NodeIdentity.Create();
        using NodeChannels channels = new(identity);
        RpcException error = await Assert.ThrowsAsync<RpcException>(() => server.AskAsync(channels, expected.NodeId));
        Assert.Contains(expected.NodeId, error.Status.Detail, StringComparison.Ordinal);
        Assert.Contains(server.NodeId, error.Status.Detail, StringComparison.Ordinal);
        // The same endpoint under the right name still answers.
        Assert.Equal(identity.NodeId, await server.AskAsync(channels, server.NodeId));
    }

    [Fact]
    public async Task A_caller_without_a_node_certificate_is_refused()
    {
        await using TestNode server = await TestNode.StartAsync();
        Assert.False(await CanTalkAsync(server, null));
        using ECDsa key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using X509Certificate2 made = new CertificateRequest("CN=stranger", key, HashAlgorithmName.SHA256)
            .CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(1));
        using X509Certificate2 plain = X509CertificateLoader.LoadPkcs12(made.Export(X509ContentType.Pkcs12), null);
        Assert.False(await CanTalkAsync(server, plain));
        using NodeIdentity identity = NodeIdentity.Create();
        using X509Certificate2 right = NodeCertificate.Create(identity);
        Assert.True(await CanTalkAsync(server, right));
    }

    [Fact]
    public async Task The_http_port_asks_for_no_certificate()
    {
        await using TestNode server = await TestNode.StartAsync();
        using HttpClient client = new();
        Assert.Equal("hello", await client.GetStringAsync(new Uri(server.Http), TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task Something_that_is_not_a_node_is_refused_by_the_caller()
    {
        using TcpListener listener = new(IPAddress.Loopback, 0);
        listener.Start();
        using ECDsa key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using X509Certificate2 made = new CertificateRequest("CN=website", key, HashAlgorithmName.SHA256)
            .CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(1));
        using X509Certificate2 plain = X509CertificateLoader.LoadPkcs12(made.Export(X509ContentType.Pkcs12), null);
        Task serving = Task.Run(async () =>
        {
            using TcpClient peer = await listener.AcceptTcpClientAsync(TestContext.Current.CancellationToken);
            await using SslStream ssl = new(peer.GetStream());
            try
            {
                await ssl.AuthenticateAsServerAsync(
                    new SslServerAuthenticationOptions { ServerCertificate = plain, ApplicationProtocols = [SslApplicationProtocol.Http2] }, TestContext.Current.CancellationToken);
                await ssl.ReadExactlyAsync(new byte[1], TestContext.Current.CancellationToken);
            }
            catch (Exception error) when (error is IOException or AuthenticationException)
            {
            }
        }, TestContext.Current.CancellationToken);
        using NodeIdentity identity = NodeIdentity.Create();
        using NodeChannels channels = new(identity);
        Shard.ShardClient client = new(channels.Get($"https://127.0.0.1:{((IPEndPoint)listener.LocalEndpoint).Port}", null));
        RpcException error = await Assert.ThrowsAsync<RpcException>(
            async () => await client.DescribeAsync(new DescribeRequest(), cancellationToken: TestContext.Current.CancellationToken));
        Assert.Contains("is not a node", error.Status.Detail, StringComparison.Ordinal);
        await serving;
    }

    [Theory]
    [InlineData("http://127.0.0.1:1")]
    [InlineData("127.0.0.1:1")]
    [InlineData("https://127.0.0.1:1/path")]
    [InlineData("")]
    public void Only_node_addresses_have_channels(string endpoint)
    {
        using NodeIdentity identity = NodeIdentity.Create();
        using NodeChannels channels = new(identity);
        Assert.Throws<ArgumentException>(() => channels.Get(endpoint, null));
    }

    [Fact]
    public async Task A_running_node_is_written_down_in_its_home_and_a_stopped_one_is_not()
    {
        string home = Directory.CreateTempSubdirectory("kwaainet-home-").FullName;
        try
        {
            TestNode server = await TestNode.StartAsync(("Node:Home", home), ("Node:Name", "shard-7"));
            // The form that `kwaainet` reads.
            string path = Path.Combine(home, "node.json");
            using (JsonDocument file = JsonDocument.Parse(await File.ReadAllTextAsync(path, TestContext.Current.CancellationToken)))
            {
                JsonElement root = file.RootElement;
                Assert.Equal(
                    ("shard-7", server.NodeId, Environment.ProcessId, server.Grpc, server.Http),
                    (root.GetProperty("name").GetString(), root.GetProperty("nodeId").GetString(), root.GetProperty("pid").GetInt32(), root.GetProperty("grpc").GetString(), root.GetProperty("http").GetString()));
            }

            string nodeId = server.NodeId;
            await server.DisposeAsync();
            Assert.False(File.Exists(path));
            await using TestNode again = await TestNode.StartAsync(("Node:Home", home));
            Assert.Equal(nodeId, again.NodeId);
        }
        finally
        {
            Directory.Delete(home, recursive: true);
        }
    }

    // TLS 1.3 tells a client that it is refused only with the first bytes it reads.
    private static async Task<bool> CanTalkAsync(TestNode server, X509Certificate2? certificate)
    {
        Uri address = new(server.Grpc);
        using TcpClient client = new();
        await client.ConnectAsync(address.Host, address.Port, TestContext.Current.CancellationToken);
        await using SslStream ssl = new(client.GetStream());
        try
        {
            await ssl.AuthenticateAsClientAsync(new SslClientAuthenticationOptions
            {
                TargetHost = address.Host,
                ApplicationProtocols = [SslApplicationProtocol.Http2],
                ClientCertificateContext = certificate is null ? null : SslStreamCertificateContext.Create(certificate, null, offline: true),
                RemoteCertificateValidationCallback = (_, _, _, _) => true,
            }, TestContext.Current.CancellationToken);
            await ssl.WriteAsync("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"u8.ToArray(), TestContext.Current.CancellationToken);
            await ssl.ReadExactlyAsync(new byte[9], TestContext.Current.CancellationToken);
            return true;
        }
        catch (Exception error) when (error is IOException or AuthenticationException)
        {
            return false;
        }
    }
}
