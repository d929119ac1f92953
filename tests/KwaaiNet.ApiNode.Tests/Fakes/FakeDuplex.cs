using System.Threading.Channels;
using Grpc.Core;

namespace KwaaiNet.ApiNode.Tests.Fakes;

/// <summary>One bidirectional gRPC call in memory: what the client writes is read here, and the other way round.</summary>
internal sealed class FakeDuplex<TRequest, TResponse> : IClientStreamWriter<TRequest>, IAsyncStreamReader<TResponse>
    where TRequest : class
    where TResponse : class
{
    private readonly Channel<TRequest> _requests = Channel.CreateUnbounded<TRequest>();
    private readonly Channel<TResponse> _responses = Channel.CreateUnbounded<TResponse>();

    public FakeDuplex(CancellationToken cancelled) => cancelled.Register(() => Break(StatusCode.Cancelled));

    public ChannelReader<TRequest> Requests => _requests.Reader;

    public WriteOptions? WriteOptions { get; set; }

    public TResponse Current { get; private set; } = null!;

    public AsyncDuplexStreamingCall<TRequest, TResponse> Call =>
        new(this, this, Task.FromResult(new Metadata()), () => Status.DefaultSuccess, () => [], () => Break(StatusCode.Cancelled));

    public void Send(TResponse response) => _responses.Writer.TryWrite(response);

    public void Break(StatusCode status)
    {
        _requests.Writer.TryComplete();
        _responses.Writer.TryComplete(new RpcException(new Status(status, "gone")));
    }

    public Task WriteAsync(TRequest message) => WriteAsync(message, CancellationToken.None);

    public Task WriteAsync(TRequest message, CancellationToken cancellationToken) =>
        _requests.Writer.TryWrite(message) ? Task.CompletedTask : Task.FromException(new RpcException(new Status(StatusCode.Unavailable, "gone")));

    public Task CompleteAsync() => Task.CompletedTask;

    /// <summary>Hears of every answer when the client has dealt with it and asks for the next.</summary>
    public Action<TResponse>? Handled { get; set; }

    public async Task<bool> MoveNext(CancellationToken cancellationToken)
    {
        if (Current is { } handled)
        {
            Handled?.Invoke(handled);
        }

        if (!await _responses.Reader.WaitToReadAsync(cancellationToken))
        {
            return false;
        }

        _responses.Reader.TryRead(out TResponse? next);
        Current = next!;
        return true;
    }
}
