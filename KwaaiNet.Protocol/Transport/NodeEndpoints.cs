namespace KwaaiNet.Protocol.Transport;

/// <summary>Where this node really listens, known once the server has started.</summary>
public sealed class NodeEndpoints
{
    private readonly TaskCompletionSource<(string? Grpc, string? Http)> _bound = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>The gRPC address to announce, <c>https://host:port</c>; null when none is served. Waits until the port is bound.</summary>
    public async Task<string?> GetGrpcAsync(CancellationToken cancellationToken = default) =>
        (await _bound.Task.WaitAsync(cancellationToken).ConfigureAwait(false)).Grpc;

    /// <summary>The HTTP/1 address, <c>http://host:port</c>; null when none is served. Waits until the port is bound.</summary>
    public async Task<string?> GetHttpAsync(CancellationToken cancellationToken = default) =>
        (await _bound.Task.WaitAsync(cancellationToken).ConfigureAwait(false)).Http;

    /// <summary>Says where the server listens; the first word counts.</summary>
    public void SetBound(string? grpc, string? http) => _bound.TrySetResult((grpc, http));
}
