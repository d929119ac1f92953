using Grpc.Core;
using KwaaiNet.Protocol.Nodes;
using KwaaiNet.Protocol.Transport;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace KwaaiNet.ShardNode.Tests.Rpc;

/// <summary>A call as a service sees it, from a node of this identity.</summary>
internal sealed class CallOfNode : ServerCallContext
{
    private readonly CancellationToken _cancelled;

    public CallOfNode(NodeIdentity identity, CancellationToken cancelled)
    {
        _cancelled = cancelled;
        DefaultHttpContext http = new() { RequestServices = new ServiceCollection().BuildServiceProvider() };
        http.Connection.ClientCertificate = NodeCertificate.Create(identity);
        // Where Grpc.AspNetCore looks for it.
        UserState["__HttpContext"] = http;
    }

    protected override string MethodCore => "";

    protected override string HostCore => "";

    protected override string PeerCore => "";

    protected override DateTime DeadlineCore => DateTime.MaxValue;

    protected override Metadata RequestHeadersCore => [];

    protected override CancellationToken CancellationTokenCore => _cancelled;

    protected override Metadata ResponseTrailersCore => [];

    protected override Status StatusCore { get; set; }

    protected override WriteOptions? WriteOptionsCore { get; set; }

    protected override AuthContext AuthContextCore => new("", []);

    protected override ContextPropagationToken CreatePropagationTokenCore(ContextPropagationOptions? options) => throw new NotSupportedException();

    protected override Task WriteResponseHeadersAsyncCore(Metadata responseHeaders) => Task.CompletedTask;
}
