using Grpc.Core;
using KwaaiNet.Protocol.Nodes;
using KwaaiNet.Protocol.Transport;
using KwaaiNet.Protocol.Wire;
using KwaaiNet.ServiceDefaults.Hosting;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace KwaaiNet.ServiceDefaults.Tests;

/// <summary>A host that is a node and serves one call: Describe answers with the caller's node id in the record bytes.</summary>
internal sealed class TestNode : IAsyncDisposable
{
    private readonly WebApplication _app;

    private TestNode(WebApplication app) => _app = app;

    public string NodeId => _app.Services.GetRequiredService<NodeIdentity>().NodeId;

    public NodeChannels Channels => _app.Services.GetRequiredService<NodeChannels>();

    public string Grpc { get; private set; } = "";

    public string Http { get; private set; } = "";

    public static WebApplication Compose(params (string Key, string? Value)[] settings)
    {
        WebApplicationBuilder builder = WebApplication.CreateBuilder();
        builder.Logging.ClearProviders();
        builder.Configuration.AddInMemoryCollection(settings.GroupBy(setting => setting.Key, (key, values) => KeyValuePair.Create(key, values.Last().Value)));
        builder.AddNode();
        WebApplication app = builder.Build();
        app.MapGrpcService<Answerer>();
        app.MapGet("/", () => "hello");
        app.MapGet("/peer", (HttpContext context) => $"{context.Connection.RemoteIpAddress} {context.Connection.RemotePort} {context.Request.Protocol} {context.Request.Scheme}");
        return app;
    }

    public static async Task<TestNode> StartAsync(params (string Key, string? Value)[] settings)
    {
        TestNode node = new(Compose([("Node:GrpcPort", "0"), ("Node:HttpPort", "0"), .. settings]));
        await node._app.StartAsync(TestContext.Current.CancellationToken);
        NodeEndpoints endpoints = node._app.Services.GetRequiredService<NodeEndpoints>();
        node.Grpc = (await endpoints.GetGrpcAsync(TestContext.Current.CancellationToken))!;
        node.Http = (await endpoints.GetHttpAsync(TestContext.Current.CancellationToken))!;
        return node;
    }

    public async Task<string> AskAsync(NodeChannels channels, string? nodeId)
    {
        Shard.ShardClient client = new(channels.Get(Grpc, nodeId));
        DescribeReply reply = await client.DescribeAsync(new DescribeRequest(), cancellationToken: TestContext.Current.CancellationToken);
        return reply.Record.Record.ToStringUtf8();
    }

    public async ValueTask DisposeAsync()
    {
        await _app.StopAsync(TestContext.Current.CancellationToken);
        await _app.DisposeAsync();
    }

    internal sealed class Answerer : Shard.ShardBase
    {
        public override Task<DescribeReply> Describe(DescribeRequest request, ServerCallContext context) =>
            Task.FromResult(new DescribeReply { Record = new SignedRecord { Record = Google.Protobuf.ByteString.CopyFromUtf8(context.GetPeerNodeId()) } });
    }
}
