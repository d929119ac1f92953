using System.IO.Pipelines;
using System.Net;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Http.Features;

namespace KwaaiNet.ServiceDefaults.PriorKnowledge;

/// <summary>A connection of another endpoint, served a second time: what the server notes about it must not fall on the first.</summary>
internal sealed class PriorKnowledgeConnection : ConnectionContext
{
    private readonly ConnectionContext _outer;
    private readonly TaskCompletionSource _served = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>The connection, which its own endpoint goes on owning.</summary>
    public PriorKnowledgeConnection(ConnectionContext outer)
    {
        _outer = outer;
        ConnectionId = outer.ConnectionId;
        Features = new FeatureCollection(outer.Features);
        Items = outer.Items;
        Transport = outer.Transport;
        LocalEndPoint = outer.LocalEndPoint;
        RemoteEndPoint = outer.RemoteEndPoint;
        ConnectionClosed = outer.ConnectionClosed;
    }

    /// <summary>Done when the connection has been served.</summary>
    public Task Served => _served.Task;

    /// <inheritdoc/>
    public override string ConnectionId { get; set; }

    /// <inheritdoc/>
    public override IFeatureCollection Features { get; }

    /// <inheritdoc/>
    public override IDictionary<object, object?> Items { get; set; }

    /// <inheritdoc/>
    public override IDuplexPipe Transport { get; set; }

    /// <inheritdoc/>
    public override EndPoint? LocalEndPoint { get; set; }

    /// <inheritdoc/>
    public override EndPoint? RemoteEndPoint { get; set; }

    /// <inheritdoc/>
    public override CancellationToken ConnectionClosed { get; set; }

    /// <inheritdoc/>
    public override void Abort(ConnectionAbortedException abortReason) => _outer.Abort(abortReason);

    /// <inheritdoc/>
    public override ValueTask DisposeAsync()
    {
        _served.TrySetResult();
        return ValueTask.CompletedTask;
    }
}
