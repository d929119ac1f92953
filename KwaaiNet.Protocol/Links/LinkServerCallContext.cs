using Grpc.Core;

namespace KwaaiNet.Protocol.Links;

/// <summary>A call that came over a link, as its service sees it.</summary>
public sealed class LinkServerCallContext : ServerCallContext, IDisposable
{
    private readonly LinkConnection _link;
    private readonly CancellationTokenSource _cancelled;
    private string _method = "";

    internal LinkServerCallContext(LinkConnection link, string nodeId, CancellationToken stopping)
    {
        _link = link;
        NodeId = nodeId;
        _cancelled = CancellationTokenSource.CreateLinkedTokenSource(stopping);
    }

    /// <summary>The did:key of the caller, from its certificate.</summary>
    public string NodeId { get; }

    /// <inheritdoc/>
    protected override string MethodCore => _method;

    /// <inheritdoc/>
    protected override string HostCore => "";

    /// <inheritdoc/>
    protected override string PeerCore => NodeId;

    /// <inheritdoc/>
    protected override DateTime DeadlineCore => DateTime.MaxValue;

    /// <inheritdoc/>
    protected override Metadata RequestHeadersCore { get; } = [];

    /// <inheritdoc/>
    protected override CancellationToken CancellationTokenCore => _cancelled.Token;

    /// <inheritdoc/>
    protected override Metadata ResponseTrailersCore { get; } = [];

    /// <inheritdoc/>
    protected override Status StatusCore { get; set; }

    /// <inheritdoc/>
    protected override WriteOptions? WriteOptionsCore { get; set; }

    /// <inheritdoc/>
    protected override AuthContext AuthContextCore { get; } = new(null, []);

    /// <summary>Cuts the connection: a peer that does not read is not waited for.</summary>
    public void Abort() => _link.Break("cut");

    /// <inheritdoc/>
    public void Dispose() => _cancelled.Dispose();

    internal void SetMethod(string name) => _method = name;

    internal void Cancel()
    {
        try
        {
            _cancelled.Cancel();
        }
        catch (ObjectDisposedException)
        {
            // The call is over.
        }
    }

    /// <inheritdoc/>
    protected override ContextPropagationToken CreatePropagationTokenCore(ContextPropagationOptions? options) => throw new NotSupportedException();

    /// <inheritdoc/>
    protected override Task WriteResponseHeadersAsyncCore(Metadata responseHeaders) => Task.CompletedTask;
}
