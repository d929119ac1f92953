using System.Net;
using System.Net.Sockets;
using System.Text;
using KwaaiNet.ApiNode.Connections;
using KwaaiNet.ApiNode.Generation;
using KwaaiNet.ApiNode.Hosting;
using KwaaiNet.ApiNode.Models;
using KwaaiNet.ApiNode.Planning;
using KwaaiNet.ApiNode.Tests.Fakes;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;

namespace KwaaiNet.ApiNode.Tests.Connections;

/// <summary>Clients that say no more after their request, over real sockets: those that listen get their answer, those that have gone are not worked for.</summary>
public sealed class HalfClosedConnectionTests : IAsyncLifetime
{
    private const string InterimResponse = "HTTP/1.1 100 Continue\r\n\r\n";

    private readonly FakeNetwork _network = FakeNetwork.Of("0-2", "3-5");
    private readonly ManualResetEventSlim _go = new();
    private WebApplication? _app;

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    private Uri Url => new(_app!.Urls.First(url => url.Contains("127.0.0.1", StringComparison.Ordinal)));

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_client_that_closed_its_sending_half_gets_its_whole_answer(bool stream)
    {
        using Socket client = await SendAsync(stream);
        client.Shutdown(SocketShutdown.Send);
        await _network.Shards["a"].WaitForAsync("frame");
        // Another request has come and gone: the end of what the first client sends has long been seen.
        using HttpClient other = new();
        Assert.Equal(HttpStatusCode.OK, (await other.GetAsync(new Uri(Url, "/alive"), Cancelled)).StatusCode);
        _go.Set();

        string answer = await ReadToEndAsync(client);

        // Interim responses may have come before it.
        answer = answer.Replace(InterimResponse, "", StringComparison.Ordinal);
        Assert.StartsWith("HTTP/1.1 200 OK\r\n", answer, StringComparison.Ordinal);
        Assert.Contains(stream ? "data: [DONE]" : "Hello from the chain.", answer, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_client_that_waits_is_sent_interim_responses_before_its_answer_and_none_within()
    {
        using Socket client = await SendAsync(stream: true);
        client.Shutdown(SocketShutdown.Send);
        byte[] interim = new byte[InterimResponse.Length];
        for (int i = 0; i < 3; i++)
        {
            await ReadExactlyAsync(client, interim);
            Assert.Equal(InterimResponse, Encoding.ASCII.GetString(interim));
        }

        _go.Set();

        string answer = (await ReadToEndAsync(client)).Replace(InterimResponse, "", StringComparison.Ordinal);
        Assert.StartsWith("HTTP/1.1 200 OK\r\n", answer, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_body_that_ends_too_early_ends_the_connection_at_once()
    {
        using Socket client = await ConnectAsync();
        await client.SendAsync(Encoding.ASCII.GetBytes("POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 90\r\n\r\n{"), Cancelled);
        client.Shutdown(SocketShutdown.Send);
        try
        {
            Assert.DoesNotContain("200 OK", await ReadToEndAsync(client), StringComparison.Ordinal);
        }
        catch (SocketException reset)
        {
            Assert.Equal(SocketError.ConnectionReset, reset.SocketErrorCode);
        }
    }

    [Fact]
    public async Task Requests_one_after_another_on_one_connection_are_all_answered()
    {
        _go.Set();
        using Socket client = await SendAsync(stream: false);
        await client.SendAsync(Encoding.ASCII.GetBytes("GET /v1/models HTTP/1.1\r\nHost: localhost\r\n\r\n"), Cancelled);
        client.Shutdown(SocketShutdown.Send);
        string answers = await ReadToEndAsync(client);
        Assert.Contains("Hello from the chain.", answers, StringComparison.Ordinal);
        Assert.Contains("\"object\":\"list\"", answers, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_client_that_reset_its_connection_is_not_worked_for(bool stream)
    {
        using Socket client = await SendAsync(stream);
        await _network.Shards["a"].WaitForAsync("frame");
        client.LingerState = new LingerOption(true, 0);
        client.Close();
        await _network.Shards["a"].WaitForAsync("close");
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_client_that_closed_its_connection_is_not_worked_for(bool stream)
    {
        using Socket client = await SendAsync(stream);
        await _network.Shards["a"].WaitForAsync("frame");
        client.Close();
        await _network.Shards["a"].WaitForAsync("close");
    }

    [Fact]
    public async Task HEAD_gives_the_headers_and_no_body()
    {
        using Socket client = await ConnectAsync();
        await client.SendAsync(Encoding.ASCII.GetBytes("HEAD /v1/models HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"), Cancelled);
        string answer = await ReadToEndAsync(client);
        Assert.StartsWith("HTTP/1.1 200 OK\r\n", answer, StringComparison.Ordinal);
        Assert.EndsWith("\r\n\r\n", answer, StringComparison.Ordinal);
    }

    public async ValueTask InitializeAsync()
    {
        _network.BeforeToken = (_, _) => _go.Wait(TimeSpan.FromSeconds(60), CancellationToken.None);
        _app = ApiNodeHost.Build(["--Node:HttpPort=0", "--Node:Host=127.0.0.1", "--Logging:LogLevel:Default=Warning"], builder =>
        {
            builder.Services.Configure<HalfClosedOptions>(options => options.ProbePeriod = options.LookPeriod = TimeSpan.FromMilliseconds(20));
            builder.Services.AddSingleton<INodeSnapshot>(_network);
            builder.Services.AddSingleton<IShardDialer>(_network);
            builder.Services.AddSingleton<IChatModelCatalog>(new FakeCatalog(FakeCatalog.Model()));
        });
        await _app.StartAsync(Cancelled);
    }

    public async ValueTask DisposeAsync()
    {
        _go.Set();
        await _app!.DisposeAsync();
        _go.Dispose();
    }

    private async Task<Socket> ConnectAsync()
    {
        Socket client = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        await client.ConnectAsync(IPAddress.Loopback, Url.Port, Cancelled);
        return client;
    }

    private static async Task ReadExactlyAsync(Socket client, byte[] bytes)
    {
        for (int done = 0, read; done < bytes.Length; done += read)
        {
            read = await client.ReceiveAsync(bytes.AsMemory(done), Cancelled);
            Assert.NotEqual(0, read);
        }
    }

    private async Task<Socket> SendAsync(bool stream)
    {
        string body = $$"""{"model":"demo","messages":[{"role":"user","content":"Hi"}],"temperature":0,"stream":{{(stream ? "true" : "false")}}}""";
        Socket client = await ConnectAsync();
        await client.SendAsync(
            Encoding.ASCII.GetBytes($"POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: {body.Length}\r\n\r\n{body}"), Cancelled);
        return client;
    }

    private static async Task<string> ReadToEndAsync(Socket client)
    {
        // A NetworkStream takes no socket that is closed on one side.
        using MemoryStream answer = new();
        byte[] part = new byte[4096];
        for (int read; (read = await client.ReceiveAsync(part, Cancelled)) > 0;)
        {
            answer.Write(part, 0, read);
        }

        return Encoding.UTF8.GetString(answer.ToArray());
    }
}
