using System.Buffers.Binary;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Google.Protobuf;
using Grpc.Core;
using KwaaiNet.Protocol.Links;
using KwaaiNet.Protocol.Nodes;
using KwaaiNet.Protocol.Transport;
using KwaaiNet.Protocol.Wire;

namespace KwaaiNet.ServiceDefaults.Tests.Links;

/// <summary>What a duplex call promises, over gRPC's HTTP/2 and over links alike; and what links do with peers that keep to nothing.</summary>
public sealed class LinkTests : IDisposable
{
    private static readonly TimeSpan s_patience = TimeSpan.FromMinutes(1);
    private readonly NodeIdentity _identity = NodeIdentity.Create();
    private readonly X509Certificate2 _certificate;
    private readonly NodeChannels _channels;

    public LinkTests()
    {
        _certificate = NodeCertificate.Create(_identity);
        _channels = new NodeChannels(_identity);
    }

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public void Dispose()
    {
        _channels.Dispose();
        _certificate.Dispose();
        _identity.Dispose();
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Messages_come_back_in_order_whatever_their_size(bool links)
    {
        await using EchoNode node = await EchoNode.StartAsync(links);
        using AsyncDuplexStreamingCall<ControlRequest, ControlEvent> call = Client(node, links).Control(cancellationToken: Token);
        foreach (int size in new[] { 0, 1, 300, 16 * 1024, 70_000, 3 << 20, 5 })
        {
            byte[] id = new byte[size];
            new Random(size).NextBytes(id);
            await call.RequestStream.WriteAsync(new ControlRequest { Open = new OpenSession { SessionId = ByteString.CopyFrom(id) } }, Token);
            Assert.True(await NextAsync(call));
            Assert.Equal(id, call.ResponseStream.Current.Opened.SessionId.ToByteArray());
        }

        for (ulong nonce = 1; nonce <= 500; nonce++) await call.RequestStream.WriteAsync(new ControlRequest { Ping = new Ping { Nonce = nonce } }, Token);
        for (ulong nonce = 1; nonce <= 500; nonce++)
        {
            Assert.True(await NextAsync(call));
            Assert.Equal(nonce, call.ResponseStream.Current.Pong.Nonce);
        }

        Assert.Equal(links, await node.Service.Called == typeof(LinkServerCallContext));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Steps_arrive_as_they_were_sent_whatever_they_hold(bool links)
    {
        await using EchoNode node = await EchoNode.StartAsync(links);
        using AsyncDuplexStreamingCall<StepFrame, StepRefused> call = Client(node, links).Steps(cancellationToken: Token);
        Random random = Seeded();
        List<StepFrame> frames = [.. Enumerable.Range(0, 60).Select(i => Step(random, i % 20 == 0 ? random.Next(3 << 20) : random.Next(40_000)))];
        Task<List<string>> answers = Task.Run(async () =>
        {
            List<string> said = [];
            while (said.Count < frames.Count && await call.ResponseStream.MoveNext(Token).WaitAsync(s_patience, Token)) said.Add(call.ResponseStream.Current.Message);
            return said;
        });
        foreach (StepFrame frame in frames) await call.RequestStream.WriteAsync(frame, Token);
        Assert.Equal(frames.Select(EchoNode.EchoShard.Digest), await answers);
    }

    [Fact]
    public async Task Steps_that_lie_about_themselves_end_their_own_connection_and_no_other()
    {
        await using EchoNode node = await EchoNode.StartAsync(links: true);
        Random random = Seeded();
        byte[] call = Frame(1, Encoding.UTF8.GetBytes("/kwaainet.v1.Shard/Steps"));
        for (int i = 0; i < 30; i++)
        {
            // Cut short, with flags that nobody knows, or behind a length that is not theirs.
            byte[] payload = new byte[i % 3 == 0 ? random.Next(37) : 37 + random.Next(2_000)];
            random.NextBytes(payload);
            if (payload.Length > 36) payload[36] |= 0x80;
            byte[] frame = Frame(6, payload);
            if (i % 3 == 2) BinaryPrimitives.WriteInt32LittleEndian(frame, random.Next(int.MinValue, 0));
            using SslStream stranger = await ShakeHandsAsync(node);
            await stranger.WriteAsync((byte[])[.. call, .. frame], Token);
            await ReadToEndAsync(stranger);
        }

        using AsyncDuplexStreamingCall<StepFrame, StepRefused> steps = Client(node, links: true).Steps(cancellationToken: Token);
        StepFrame whole = Step(random, 100);
        await steps.RequestStream.WriteAsync(whole, Token);
        Assert.True(await steps.ResponseStream.MoveNext(Token).WaitAsync(s_patience, Token));
        Assert.Equal(EchoNode.EchoShard.Digest(whole), steps.ResponseStream.Current.Message);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_client_that_has_finished_is_answered_to_the_end(bool links)
    {
        await using EchoNode node = await EchoNode.StartAsync(links);
        using AsyncDuplexStreamingCall<ControlRequest, ControlEvent> call = Client(node, links).Control(cancellationToken: Token);
        await call.RequestStream.WriteAsync(new ControlRequest { Ping = new Ping { Nonce = 7 } }, Token);
        await call.RequestStream.CompleteAsync();
        Assert.True(await NextAsync(call));
        Assert.Equal(7ul, call.ResponseStream.Current.Pong.Nonce);
        Assert.False(await NextAsync(call));
        Assert.Equal(StatusCode.OK, call.GetStatus().StatusCode);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_failure_of_the_service_reaches_the_client_with_its_status(bool links)
    {
        await using EchoNode node = await EchoNode.StartAsync(links);
        using AsyncDuplexStreamingCall<ControlRequest, ControlEvent> call = Client(node, links).Control(cancellationToken: Token);
        await call.RequestStream.WriteAsync(Close(EchoNode.EchoShard.Fail), Token);
        RpcException failure = await Assert.ThrowsAsync<RpcException>(() => NextAsync(call));
        Assert.Equal((StatusCode.FailedPrecondition, "as it was asked to"), (failure.StatusCode, failure.Status.Detail));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_client_that_leaves_is_heard_by_the_service(bool links)
    {
        await using EchoNode node = await EchoNode.StartAsync(links);
        AsyncDuplexStreamingCall<ControlRequest, ControlEvent> call = Client(node, links).Control(cancellationToken: Token);
        await node.Service.Called.WaitAsync(s_patience, Token);
        Task<bool> next = NextAsync(call);
        call.Dispose();
        Assert.Equal(StatusCode.Cancelled, (await Assert.ThrowsAsync<RpcException>(() => next)).StatusCode);
        await node.Service.Cancelled.WaitAsync(s_patience, Token);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_connection_that_is_cut_ends_the_call_on_both_sides(bool links)
    {
        await using EchoNode node = await EchoNode.StartAsync(links);
        using AsyncDuplexStreamingCall<ControlRequest, ControlEvent> call = Client(node, links).Control(cancellationToken: Token);
        await call.RequestStream.WriteAsync(Close(EchoNode.EchoShard.Cut), Token);
        await Assert.ThrowsAsync<RpcException>(() => NextAsync(call));
        await node.Service.Cancelled.WaitAsync(s_patience, Token);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Another_node_than_the_one_expected_is_not_spoken_to(bool links)
    {
        await using EchoNode node = await EchoNode.StartAsync(links);
        using NodeIdentity other = NodeIdentity.Create();
        using AsyncDuplexStreamingCall<ControlRequest, ControlEvent> call = node.Client(_channels, links ? _certificate : null, other.NodeId).Control(cancellationToken: Token);
        await Assert.ThrowsAsync<RpcException>(() => NextAsync(call));
        Assert.False(node.Service.Called.IsCompleted);
    }

    [Fact]
    public async Task A_node_without_a_link_port_is_called_over_grpc()
    {
        await using EchoNode node = await EchoNode.StartAsync(links: false);
        using AsyncDuplexStreamingCall<ControlRequest, ControlEvent> call = Client(node, links: true).Control(cancellationToken: Token);
        await call.RequestStream.WriteAsync(new ControlRequest { Ping = new Ping { Nonce = 3 } }, Token);
        Assert.True(await NextAsync(call));
        Assert.NotEqual(typeof(LinkServerCallContext), await node.Service.Called);
    }

    [Fact]
    public async Task What_is_no_frame_ends_its_own_connection_and_no_other()
    {
        await using EchoNode node = await EchoNode.StartAsync(links: true);
        using AsyncDuplexStreamingCall<ControlRequest, ControlEvent> call = Client(node, links: true).Control(cancellationToken: Token);
        foreach (byte[] nonsense in Nonsense())
        {
            using SslStream stranger = await ShakeHandsAsync(node);
            await stranger.WriteAsync(nonsense, Token);
            // The other side ends it: the end of the stream, or a reset.
            await ReadToEndAsync(stranger);
        }

        await call.RequestStream.WriteAsync(new ControlRequest { Ping = new Ping { Nonce = 9 } }, Token);
        Assert.True(await NextAsync(call));
        Assert.Equal(9ul, call.ResponseStream.Current.Pong.Nonce);
    }

    [Fact]
    public async Task A_call_that_the_service_has_ended_is_over_though_its_client_stays()
    {
        await using EchoNode node = await EchoNode.StartAsync(links: true);
        using SslStream client = await ShakeHandsAsync(node);
        await client.WriteAsync(Frame(1, Encoding.UTF8.GetBytes("/kwaainet.v1.Shard/Control")), Token);
        await client.WriteAsync(Frame(2, Close(EchoNode.EchoShard.Fail).ToByteArray()), Token);
        using CancellationTokenSource over = CancellationTokenSource.CreateLinkedTokenSource(Token);
        Task alive = BeatAsync(client, over.Token);
        // Its status, and the end of the connection, which nothing but the service's side can bring.
        byte[] said = await ReadToEndAsync(client);
        Assert.Contains("as it was asked to", Encoding.UTF8.GetString(said), StringComparison.Ordinal);
        await over.CancelAsync();
        await alive;
    }

    [Fact]
    public async Task A_peer_that_gives_no_sign_of_life_is_taken_for_dead()
    {
        await using EchoNode node = await EchoNode.StartAsync(links: true);
        using SslStream silent = await ShakeHandsAsync(node);
        await silent.WriteAsync(Frame(1, Encoding.UTF8.GetBytes("/kwaainet.v1.Shard/Control")), Token);
        await node.Service.Called.WaitAsync(s_patience, Token);
        await node.Service.Cancelled.WaitAsync(s_patience, Token);
    }

    [Fact]
    public async Task A_stranger_without_a_nodes_certificate_gets_no_answer()
    {
        await using EchoNode node = await EchoNode.StartAsync(links: true);
        using TcpClient tcp = new();
        await tcp.ConnectAsync(IPAddress.Loopback, node.LinkPort, Token);
        using SslStream ssl = new(tcp.GetStream(), leaveInnerStreamOpen: false, (_, _, _, _) => true);
        try
        {
            await ssl.AuthenticateAsClientAsync(
                new SslClientAuthenticationOptions { TargetHost = "node", ApplicationProtocols = [new SslApplicationProtocol("kwaainet-link/1")] }, Token);
            await ssl.WriteAsync(Frame(1, Encoding.UTF8.GetBytes("/kwaainet.v1.Shard/Control")), Token);
            await ReadToEndAsync(ssl);
        }
        catch (Exception refused) when (refused is IOException or System.Security.Authentication.AuthenticationException)
        {
            // TLS 1.3 may tell it at once or with the first bytes.
        }

        Assert.False(node.Service.Called.IsCompleted);
    }

    private static Random Seeded()
    {
        int seed = Environment.TickCount;
        TestContext.Current.TestOutputHelper?.WriteLine($"seed {seed}");
        return new Random(seed);
    }

    private static StepFrame Step(Random random, int bytes)
    {
        byte[] id = new byte[random.Next(10) == 0 ? random.Next(20) : 16];
        byte[] rows = new byte[bytes];
        random.NextBytes(id);
        random.NextBytes(rows);
        StepFrame frame = new()
        {
            SessionId = ByteString.CopyFrom(id),
            Step = (ulong)random.NextInt64(),
            KvLength = (uint)random.Next(),
            Rows = (uint)random.Next(),
            FirstBlock = (uint)random.Next(),
            Sample = random.Next(2) == 0,
        };
        if (random.Next(3) > 0) frame.Hidden = ByteString.CopyFrom(rows);
        else if (random.Next(3) > 0) frame.Tokens = ByteString.CopyFrom(rows);
        return frame;
    }

    private static IEnumerable<byte[]> Nonsense()
    {
        yield return Encoding.UTF8.GetBytes("GET / HTTP/1.1\r\n\r\n");
        yield return Frame(9, []);
        yield return Frame(1, Encoding.UTF8.GetBytes("/kwaainet.v1.Shard/Nothing"));
        yield return [0xFF, 0xFF, 0xFF, 0xFF, 2];
        yield return [.. Frame(1, Encoding.UTF8.GetBytes("/kwaainet.v1.Shard/Control")), .. Frame(2, [0xFF, 0xFF, 0xFF])];
        yield return [.. Frame(1, Encoding.UTF8.GetBytes("/kwaainet.v1.Shard/Control")), .. Frame(4, [0])];
    }

    private static byte[] Frame(byte kind, byte[] payload)
    {
        byte[] frame = new byte[5 + payload.Length];
        BinaryPrimitives.WriteInt32LittleEndian(frame, payload.Length);
        frame[4] = kind;
        payload.CopyTo(frame, 5);
        return frame;
    }

    private static ControlRequest Close(string id) => new() { Close = new CloseSession { SessionId = ByteString.CopyFromUtf8(id) } };

    private static Task<bool> NextAsync(AsyncDuplexStreamingCall<ControlRequest, ControlEvent> call) => call.ResponseStream.MoveNext(Token).WaitAsync(s_patience, Token);

    // All that comes, signs of life among it, until the other side ends the connection.
    private static async Task<byte[]> ReadToEndAsync(SslStream stream)
    {
        using MemoryStream heard = new();
        byte[] buffer = new byte[4096];
        try
        {
            for (int read; (read = await stream.ReadAsync(buffer, Token).AsTask().WaitAsync(s_patience, Token)) > 0;) heard.Write(buffer, 0, read);
        }
        catch (IOException)
        {
            // Reset.
        }

        return heard.ToArray();
    }

    private static async Task BeatAsync(SslStream stream, CancellationToken cancellationToken)
    {
        using PeriodicTimer timer = new(TimeSpan.FromMilliseconds(500));
        try
        {
            while (await timer.WaitForNextTickAsync(cancellationToken)) await stream.WriteAsync(Frame(5, []), cancellationToken);
        }
        catch (Exception ended) when (ended is IOException or OperationCanceledException)
        {
            // The connection is over, or the test.
        }
    }

    private Shard.ShardClient Client(EchoNode node, bool links) => node.Client(_channels, links ? _certificate : null);

    private async Task<SslStream> ShakeHandsAsync(EchoNode node)
    {
        TcpClient tcp = new();
        await tcp.ConnectAsync(IPAddress.Loopback, node.LinkPort, Token);
        SslStream ssl = new(tcp.GetStream());
        SslClientAuthenticationOptions options = NodeTls.Client(_certificate, node.Grpc, node.NodeId, TimeProvider.System);
        options.ApplicationProtocols = [new SslApplicationProtocol("kwaainet-link/1")];
        await ssl.AuthenticateAsClientAsync(options, Token);
        return ssl;
    }
}
