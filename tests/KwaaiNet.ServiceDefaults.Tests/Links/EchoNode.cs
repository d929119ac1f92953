using Google.Protobuf;
using Grpc.Core;
using KwaaiNet.Protocol.Links;
using KwaaiNet.Protocol.Nodes;
using KwaaiNet.Protocol.Transport;
using KwaaiNet.Protocol.Wire;
using KwaaiNet.ServiceDefaults.Hosting;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace KwaaiNet.ServiceDefaults.Tests.Links;

/// <summary>A node whose Control stream answers what it hears, over gRPC and, where it has a port for them, over links.</summary>
internal sealed class EchoNode : IAsyncDisposable
{
    private readonly WebApplication _app;

    private EchoNode(WebApplication app) => _app = app;

    public string NodeId => _app.Services.GetRequiredService<NodeIdentity>().NodeId;

    public EchoShard Service => _app.Services.GetRequiredService<EchoShard>();

    public int LinkPort => _app.Services.GetRequiredService<NodeEndpoints>().LinkPort;

    public string Grpc { get; private set; } = "";

    public static async Task<EchoNode> StartAsync(bool links)
    {
        WebApplicationBuilder builder = WebApplication.CreateBuilder();
        builder.Logging.ClearProviders();
        builder.Configuration.AddInMemoryCollection(
        [
            new("Node:GrpcPort", "0"),
            new("Node:HttpPort", "0"),
            new("Node:LinkPort", links ? "0" : "-1"),
        ]);
        builder.AddNode();
        builder.Services.AddLinkService<EchoShard>(static (binder, service) => Shard.BindService(binder, service));
        WebApplication app = builder.Build();
        app.MapGrpcService<EchoShard>();
        EchoNode node = new(app);
        await app.StartAsync(TestContext.Current.CancellationToken);
        node.Grpc = (await app.Services.GetRequiredService<NodeEndpoints>().GetGrpcAsync(TestContext.Current.CancellationToken))!;
        return node;
    }

    /// <summary>A client with an identity of its own.</summary>
    public Shard.ShardClient Client(NodeChannels channels, System.Security.Cryptography.X509Certificates.X509Certificate2? certificate, string? nodeId = null) =>
        new(new NodeLinks(channels, certificate, TimeProvider.System).Invoker(Grpc, nodeId ?? NodeId));

    public async ValueTask DisposeAsync()
    {
        await _app.StopAsync(TestContext.Current.CancellationToken);
        await _app.DisposeAsync();
    }

    internal sealed class EchoShard(NodeEndpoints endpoints) : Shard.ShardBase
    {
        public const string Fail = "fail";
        public const string Cut = "cut";

        private readonly TaskCompletionSource<Type> _called = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private readonly TaskCompletionSource _cancelled = new(TaskCreationOptions.RunContinuationsAsynchronously);

        /// <summary>What a call came as.</summary>
        public Task<Type> Called => _called.Task;

        /// <summary>Done when a call was cancelled.</summary>
        public Task Cancelled => _cancelled.Task;

        public override Task<DescribeReply> Describe(DescribeRequest request, ServerCallContext context) => Task.FromResult(new DescribeReply
        {
            Record = new SignedRecord { Record = new NodeRecord { LinkPort = (uint)endpoints.LinkPort }.ToByteString() },
        });

        /// <summary>Answers every step with what it was, as far as anybody can tell.</summary>
        public override async Task Steps(IAsyncStreamReader<StepFrame> requestStream, IServerStreamWriter<StepRefused> responseStream, ServerCallContext context)
        {
            await context.WriteResponseHeadersAsync([]);
            await requestStream.ForEachAsync(
                async frame =>
                {
                    string said = Digest(frame);
                    ulong step = frame.Step;
                    frame.Release();
                    await responseStream.WriteAsync(new StepRefused { Step = step, Message = said });
                },
                context.CancellationToken);
        }

        public static string Digest(StepFrame frame) => Convert.ToHexString(System.Security.Cryptography.SHA256.HashData(frame.ToByteArray()));

        public override async Task Control(IAsyncStreamReader<ControlRequest> requestStream, IServerStreamWriter<ControlEvent> responseStream, ServerCallContext context)
        {
            await context.WriteResponseHeadersAsync([]);
            _called.TrySetResult(context.GetType());
            context.CancellationToken.Register(() => _cancelled.TrySetResult());
            while (await requestStream.MoveNext(context.CancellationToken))
            {
                ControlRequest request = requestStream.Current;
                switch (request.RequestCase)
                {
                    case ControlRequest.RequestOneofCase.Ping:
                        await responseStream.WriteAsync(new ControlEvent { Pong = new Pong { Nonce = request.Ping.Nonce } });
                        break;
                    case ControlRequest.RequestOneofCase.Open:
                        await responseStream.WriteAsync(new ControlEvent { Opened = new SessionOpened { SessionId = request.Open.SessionId } });
                        break;
                    case ControlRequest.RequestOneofCase.Close when request.Close.SessionId.ToStringUtf8() == Cut:
                        context.AbortCall();
                        break;
                    default:
                        throw new RpcException(new Status(StatusCode.FailedPrecondition, "as it was asked to"));
                }
            }
        }
    }
}
