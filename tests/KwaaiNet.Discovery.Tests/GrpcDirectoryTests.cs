using System.Text.Json;
using Google.Protobuf;
using Grpc.Core;
using KwaaiNet.Protocol.Discovery;
using KwaaiNet.Protocol.Nodes;
using KwaaiNet.Protocol.Wire;
using WireDiscovery = KwaaiNet.Protocol.Wire.Discovery;

namespace KwaaiNet.Discovery.Tests;

public sealed class GrpcDirectoryTests(DiscoveryServer server) : DirectoryConformance, IClassFixture<DiscoveryServer>
{
    protected override INodeDirectory Directory => server.Client;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_forged_signature_is_refused()
    {
        using TestIdentity node = new();
        SignedRecord wire = node.Next().Wire.Clone();
        byte[] signature = wire.Signature.ToByteArray();
        signature[5] ^= 1;
        wire.Signature = ByteString.CopyFrom(signature);
        WireDiscovery.DiscoveryClient client = new(server.Channels.Get(server.Grpc, server.NodeId));
        RpcException error = await Assert.ThrowsAsync<RpcException>(async () => await client.AnnounceAsync(new AnnounceRequest { Record = wire }, cancellationToken: Cancel));
        Assert.Equal(StatusCode.InvalidArgument, error.StatusCode);
        Assert.Contains("signature", error.Status.Detail, StringComparison.Ordinal);
        error = await Assert.ThrowsAsync<RpcException>(async () => await client.AnnounceAsync(new AnnounceRequest(), cancellationToken: Cancel));
        Assert.Equal(StatusCode.InvalidArgument, error.StatusCode);
        SignedNodeRecord first = node.Next();
        await client.AnnounceAsync(new AnnounceRequest { Record = node.Next().Wire }, cancellationToken: Cancel);
        error = await Assert.ThrowsAsync<RpcException>(async () => await client.AnnounceAsync(new AnnounceRequest { Record = first.Wire }, cancellationToken: Cancel));
        Assert.Equal(StatusCode.FailedPrecondition, error.StatusCode);
    }

    [Fact]
    public async Task The_network_map_shows_nodes_coverage_and_gaps()
    {
        string network = $"map-{Guid.NewGuid():N}";
        using TestIdentity one = new();
        using TestIdentity two = new();
        await Directory.AnnounceAsync(one.Next(network), Cancel);
        await Directory.AnnounceAsync(two.Next(network, change: record =>
        {
            record.StartedUnixMs = 77;
            record.Serving.Clear();
            ServedBlocks roomy = TestIdentity.Served("demo", 2, 6);
            (roomy.KvFreeBytes, roomy.KvTotalBytes, roomy.KvBytesPerBlockPosition) = (5, 7, 3);
            record.Serving.Add(roomy);
            record.Serving.Add(TestIdentity.Served("demo", 6, 8, state: ServingState.Joining));
        }), Cancel);
        await server.View.WaitUntilAsync(snapshot => snapshot.Records.ContainsKey(one.NodeId) && snapshot.Records.ContainsKey(two.NodeId), Cancel);
        using HttpClient http = new();
        using JsonDocument map = JsonDocument.Parse(await http.GetStringAsync(new Uri(server.Http + "/network"), Cancel));
        Assert.True(map.RootElement.GetProperty("live").GetBoolean());
        JsonElement node = map.RootElement.GetProperty("nodes").EnumerateArray().Single(entry => entry.GetProperty("nodeId").GetString() == two.NodeId);
        Assert.Equal("shard", node.GetProperty("role").GetString());
        Assert.Equal(77, node.GetProperty("startedUnixMs").GetInt64());
        Assert.Equal([5, 7, 3], new[] { "kvFreeBytes", "kvTotalBytes", "kvBytesPerBlockPosition" }.Select(name => node.GetProperty("serving")[0].GetProperty(name).GetInt64()));
        Assert.Equal("joining", node.GetProperty("serving")[1].GetProperty("state").GetString());
        JsonElement model = map.RootElement.GetProperty("models").EnumerateArray().Single(entry => entry.GetProperty("network").GetString() == network);
        Assert.False(model.GetProperty("complete").GetBoolean());
        Assert.Equal("""[{"firstBlock":0,"endBlock":2,"nodes":1},{"firstBlock":2,"endBlock":4,"nodes":2},{"firstBlock":4,"endBlock":6,"nodes":1},{"firstBlock":6,"endBlock":8,"nodes":0}]""", model.GetProperty("coverage").GetRawText());
        Assert.Equal("""[{"firstBlock":6,"endBlock":8,"nodes":0}]""", model.GetProperty("gaps").GetRawText());
    }

    [Theory]
    [InlineData("/health")]
    [InlineData("/alive")]
    public async Task It_says_that_it_is_well(string path)
    {
        using HttpClient http = new();
        Assert.Equal("Healthy", await http.GetStringAsync(new Uri(server.Http + path), Cancel));
    }

    [Fact]
    public async Task A_service_that_stops_ends_its_watches_at_once()
    {
        await using DiscoveryServer second = new();
        await second.StartAsync();
        await using WatchReader watch = await WatchReader.StartAsync(second.Client, new NodeQuery());
        Task stopping = second.StopAsync();
        await Assert.ThrowsAsync<DirectoryUnavailableException>(watch.NextAsync);
        await stopping.WaitAsync(TimeSpan.FromSeconds(10), Cancel);
        await Assert.ThrowsAsync<DirectoryUnavailableException>(() => second.Client.LookupAsync(new NodeQuery(), Cancel));
    }
}
