using Grpc.Core;

namespace KwaaiNet.Protocol.Links;

/// <summary>A client's duplex call, usable from its first moment: what is written before the connection stands waits for it.</summary>
internal sealed class LinkCall<TRequest, TResponse> : IClientStreamWriter<TRequest>, IAsyncStreamReader<TResponse>, IMessageLoop<TResponse>, IDisposable
    where TRequest : class
    where TResponse : class
{
    private static readonly Status s_cancelled = new(StatusCode.Cancelled, "The call was cancelled.");

    private readonly CancellationTokenSource _stop = new();
    private readonly CancellationTokenRegistration _cancelled;
    private readonly Task<LinkCallStreams<TRequest, TResponse>> _opening;
    private LinkCallStreams<TRequest, TResponse>? _open;
    private Status? _status;

    /// <summary>Starts to connect.</summary>
    public LinkCall(CancellationToken cancellationToken, Func<Action<Status>, CancellationToken, Task<LinkCallStreams<TRequest, TResponse>>> open)
    {
        _opening = OpenAsync(open);
        Headers = HeadersAsync();
        _cancelled = cancellationToken.UnsafeRegister(static call => ((LinkCall<TRequest, TResponse>)call!).Dispose(), this);
    }

    /// <summary>Done when the call stands.</summary>
    public Task<Metadata> Headers { get; }

    /// <inheritdoc/>
    public WriteOptions? WriteOptions { get; set; }

    /// <inheritdoc/>
    public TResponse Current => _open!.Responses.Current;

    /// <summary>How the call ended.</summary>
    /// <exception cref="InvalidOperationException">It has not.</exception>
    public Status GetStatus() => _status ?? throw new InvalidOperationException("The call has not ended.");

    /// <inheritdoc/>
    public Task WriteAsync(TRequest message) => WriteAsync(message, CancellationToken.None);

    /// <inheritdoc/>
    public Task WriteAsync(TRequest message, CancellationToken cancellationToken)
    {
        if (Volatile.Read(ref _open) is not { } open) return WriteLaterAsync(message, cancellationToken);
        open.Requests.WriteOptions = WriteOptions;
        return open.Requests.WriteAsync(message, cancellationToken);
    }

    /// <inheritdoc/>
    public async Task CompleteAsync() => await (await _opening.ConfigureAwait(false)).Requests.CompleteAsync().ConfigureAwait(false);

    /// <inheritdoc/>
    public Task<bool> MoveNext(CancellationToken cancellationToken) =>
        Volatile.Read(ref _open) is { } open ? open.Responses.MoveNext(cancellationToken) : MoveLaterAsync(cancellationToken);

    /// <inheritdoc/>
    public async Task ForEachAsync(Func<TResponse, ValueTask> take, CancellationToken cancellationToken)
    {
        LinkCallStreams<TRequest, TResponse> open = await _opening.WaitAsync(cancellationToken).ConfigureAwait(false);
        await open.Responses.ForEachAsync(take, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Ends the call; a reader hears CANCELLED.</summary>
    public void Dispose()
    {
        _cancelled.Unregister();
        _stop.Cancel();
        Ended(s_cancelled);
        Volatile.Read(ref _open)?.End(s_cancelled);
    }

    private void Ended(Status status) => _status ??= status;

    private async Task<LinkCallStreams<TRequest, TResponse>> OpenAsync(Func<Action<Status>, CancellationToken, Task<LinkCallStreams<TRequest, TResponse>>> open)
    {
        // Off the caller's thread: it may be one that must not wait for a name to be resolved.
        await Task.CompletedTask.ConfigureAwait(ConfigureAwaitOptions.ForceYielding);
        try
        {
            LinkCallStreams<TRequest, TResponse> streams = await open(Ended, _stop.Token).ConfigureAwait(false);
            Volatile.Write(ref _open, streams);
            // Ended while it was being opened: nobody else would end it.
            if (_stop.IsCancellationRequested) streams.End(s_cancelled);
            return streams;
        }
        catch (OperationCanceledException)
        {
            throw new RpcException(s_cancelled);
        }
        catch (RpcException failure)
        {
            Ended(failure.Status);
            throw;
        }
    }

    private async Task<Metadata> HeadersAsync()
    {
        await _opening.ConfigureAwait(false);
        return [];
    }

    private async Task WriteLaterAsync(TRequest message, CancellationToken cancellationToken)
    {
        LinkCallStreams<TRequest, TResponse> open = await _opening.WaitAsync(cancellationToken).ConfigureAwait(false);
        open.Requests.WriteOptions = WriteOptions;
        await open.Requests.WriteAsync(message, cancellationToken).ConfigureAwait(false);
    }

    private async Task<bool> MoveLaterAsync(CancellationToken cancellationToken)
    {
        LinkCallStreams<TRequest, TResponse> open = await _opening.WaitAsync(cancellationToken).ConfigureAwait(false);
        return await open.Responses.MoveNext(cancellationToken).ConfigureAwait(false);
    }
}
