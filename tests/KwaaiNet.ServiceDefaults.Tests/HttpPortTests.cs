using System.Net;
using System.Net.Http.Headers;
using System.Net.Sockets;
using System.Text;

namespace KwaaiNet.ServiceDefaults.Tests;

/// <summary>The port without TLS: both loopbacks, both versions of HTTP.</summary>
public sealed class HttpPortTests
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_port_that_the_system_chose_answers_on_both_loopbacks()
    {
        Assert.SkipUnless(HasIPv6(), "This machine has no IPv6.");
        await using TestNode node = await TestNode.StartAsync();
        Assert.StartsWith("http://127.0.0.1:", node.Http, StringComparison.Ordinal);
        await AssertBothAnswerAsync(new Uri(node.Http).Port);
    }

    [Theory]
    [InlineData("127.0.0.1")]
    [InlineData("localhost")]
    [InlineData("0.0.0.0")]
    public async Task A_port_that_was_named_answers_on_both_loopbacks(string host)
    {
        Assert.SkipUnless(HasIPv6(), "This machine has no IPv6.");
        for (int attempt = 1; ; attempt++)
        {
            int port = FreePort();
            try
            {
                await using TestNode node = await TestNode.StartAsync(("Node:HttpPort", $"{port}"), ("Node:Host", host));
                await AssertBothAnswerAsync(port);
                return;
            }
            catch (IOException) when (attempt < 5)
            {
                // Another program took the port in between.
            }
        }
    }

    [Fact]
    public async Task A_node_at_another_address_listens_there_alone()
    {
        Assert.SkipUnless(HasIPv6(), "This machine has no IPv6.");
        await using TestNode node = await TestNode.StartAsync(("Node:Host", "::1"));
        using HttpClient client = new();
        Assert.Equal("hello", await client.GetStringAsync(new Uri(node.Http), Cancel));
        Assert.StartsWith("http://[::1]:", node.Http, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_http_port_speaks_http_two_to_who_begins_with_it_and_http_one_to_all_others()
    {
        await using TestNode node = await TestNode.StartAsync();
        using HttpClient client = new();
        string one = await AskAsync(client, node, HttpVersion.Version11);
        string two = await AskAsync(client, node, HttpVersion.Version20);
        Assert.EndsWith(" HTTP/1.1 http", one, StringComparison.Ordinal);
        Assert.EndsWith(" HTTP/2 http", two, StringComparison.Ordinal);
        Assert.StartsWith("127.0.0.1 ", two, StringComparison.Ordinal);

        // Streams of one connection, the peer's own.
        Assert.Equal(two, await AskAsync(client, node, HttpVersion.Version20));
    }

    [Fact]
    public async Task First_bytes_that_come_one_by_one_are_understood()
    {
        await using TestNode node = await TestNode.StartAsync();
        byte[] preface = [.. "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"u8, 0, 0, 0, 4, 0, 0, 0, 0, 0];
        byte[] answer = new byte[9];
        await ExchangeAsync(node, preface, answer);
        Assert.Equal(4, answer[3]); // the type of a SETTINGS frame, the first that a server says

        answer = new byte[15];
        await ExchangeAsync(node, Encoding.ASCII.GetBytes("POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n"), answer);
        Assert.Equal("HTTP/1.1 405 Me", Encoding.ASCII.GetString(answer));
    }

    [Fact]
    public async Task An_open_http_two_connection_does_not_keep_the_node_from_stopping()
    {
        TestNode node = await TestNode.StartAsync();
        using HttpClient client = new();
        await AskAsync(client, node, HttpVersion.Version20);
        await node.DisposeAsync().AsTask().WaitAsync(TimeSpan.FromSeconds(20), Cancel);
    }

    [Fact]
    public async Task Nodes_are_not_spoken_to_without_tls()
    {
        await using TestNode node = await TestNode.StartAsync();
        using HttpClient client = new();
        using HttpRequestMessage request = new(HttpMethod.Post, node.Http + "/kwaainet.v1.Shard/Describe")
        {
            Version = HttpVersion.Version20,
            VersionPolicy = HttpVersionPolicy.RequestVersionExact,
            Content = new ByteArrayContent(new byte[5]),
        };
        request.Content.Headers.ContentType = new MediaTypeHeaderValue("application/grpc");
        using HttpResponseMessage response = await client.SendAsync(request, Cancel);
        Assert.Equal(HttpStatusCode.Forbidden, response.StatusCode);
    }

    private static async Task ExchangeAsync(TestNode node, byte[] sent, byte[] answer)
    {
        using TcpClient client = new() { NoDelay = true };
        await client.ConnectAsync(IPAddress.Loopback, new Uri(node.Http).Port, Cancel);
        foreach (byte one in sent) await client.GetStream().WriteAsync(new[] { one }, Cancel);
        await client.GetStream().ReadExactlyAsync(answer, Cancel);
    }

    private static async Task<string> AskAsync(HttpClient client, TestNode node, Version version)
    {
        using HttpRequestMessage request = new(HttpMethod.Get, node.Http + "/peer") { Version = version, VersionPolicy = HttpVersionPolicy.RequestVersionExact };
        using HttpResponseMessage response = await client.SendAsync(request, Cancel);
        return await response.Content.ReadAsStringAsync(Cancel);
    }

    private static async Task AssertBothAnswerAsync(int port)
    {
        using HttpClient client = new();
        foreach (string host in new[] { "127.0.0.1", "[::1]", "localhost" })
            Assert.Equal("hello", await client.GetStringAsync(new Uri($"http://{host}:{port}"), Cancel));
    }

    private static int FreePort()
    {
        using TcpListener free = new(IPAddress.Loopback, 0);
        free.Start();
        return ((IPEndPoint)free.LocalEndpoint).Port;
    }

    private static bool HasIPv6()
    {
        try
        {
            using TcpListener probe = new(IPAddress.IPv6Loopback, 0);
            probe.Start();
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }
}
