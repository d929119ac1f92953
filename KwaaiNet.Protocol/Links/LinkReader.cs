using Google.Protobuf;
using Grpc.Core;

namespace KwaaiNet.Protocol.Links;

/// <summary>One direction of a link as gRPC's stream: a thread reads frames and runs whoever waits for them.</summary>
/// <remarks>
/// A message is read when it is asked for and not before, so a consumer that is slow holds the peer back through TCP's window. The
/// consumer's code behind <c>await MoveNext</c> runs on the reading thread until it waits for something else.
/// </remarks>
internal sealed class LinkReader<T> : IAsyncStreamReader<T>, ILinkReading
    where T : class
{
    private readonly LinkConnection _link;
    private readonly Marshaller<T> _marshaller;
    private readonly Action<Status> _ended;
    private readonly SemaphoreSlim _asked = new(0);
    private TaskCompletionSource<bool>? _next;
    private RpcException? _failure;
    private bool _over;

    /// <summary>Reads nothing before <see cref="Start"/>.</summary>
    /// <param name="link">The connection.</param>
    /// <param name="marshaller">Parses messages.</param>
    /// <param name="ended">Told how the direction ended, before its reader is.</param>
    public LinkReader(LinkConnection link, Marshaller<T> marshaller, Action<Status> ended)
    {
        _link = link;
        _marshaller = marshaller;
        _ended = ended;
    }

    /// <inheritdoc/>
    public T Current { get; private set; } = null!;

    /// <summary>Begins to read.</summary>
    public void Start(string name) => new Thread(Run) { IsBackground = true, Name = name }.Start();

    /// <inheritdoc/>
    public Task<bool> MoveNext(CancellationToken cancellationToken)
    {
        // Continuations run in line: this is what saves the hand-off.
        TaskCompletionSource<bool> next = new();
        lock (_asked)
        {
            if (_failure is not null) return Task.FromException<bool>(_failure);
            if (_over) return Task.FromResult(false);
            if (_next is not null) throw new InvalidOperationException("The stream is being read already.");
            _next = next;
        }

        _asked.Release();
        return cancellationToken.CanBeCanceled ? WaitAsync(next, cancellationToken) : next.Task;
    }

    /// <inheritdoc/>
    public void End(Status status)
    {
        TaskCompletionSource<bool>? waiting;
        lock (_asked)
        {
            if (_over || _failure is not null) return;
            if (status.StatusCode == StatusCode.OK) _over = true;
            else _failure = new RpcException(status);
            waiting = _next;
            _next = null;
        }

        _asked.Release();
        if (waiting is null) return;
        if (_failure is not null) waiting.TrySetException(_failure);
        else waiting.TrySetResult(false);
    }

    private async Task<bool> WaitAsync(TaskCompletionSource<bool> next, CancellationToken cancellationToken)
    {
        await using (cancellationToken.UnsafeRegister(static (state, token) => ((LinkReader<T>)state!).End(new Status(StatusCode.Cancelled, "The call was cancelled.")), this).ConfigureAwait(false))
            return await next.Task.ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public void Run()
    {
        Status status;
        try
        {
            status = ReadToEnd();
        }
        catch (Exception error) when (error is IOException or InvalidDataException or InvalidProtocolBufferException or ObjectDisposedException)
        {
            status = new Status(StatusCode.Unavailable, _link.Broken is { } reason and not "closed" ? reason : error.Message);
            _link.Break(error.Message);
        }

        _ended(status);
        End(status);
    }

    private Status ReadToEnd()
    {
        while (true)
        {
            _asked.Wait();
            lock (_asked)
            {
                if (_over || _failure is not null) return new Status(StatusCode.Cancelled, "The reader has left.");
            }

            (LinkFrameKind kind, ReadOnlyMemory<byte> payload) = _link.Read();
            switch (kind)
            {
                case LinkFrameKind.Data:
                    Give(LinkMessages.Parse(_marshaller, payload));
                    break;
                case LinkFrameKind.End:
                    return Status.DefaultSuccess;
                case LinkFrameKind.Status when payload.Length > 0:
                    return new Status((StatusCode)payload.Span[0], System.Text.Encoding.UTF8.GetString(payload.Span[1..]));
                default:
                    throw new InvalidDataException($"a frame of kind {kind} where none may be");
            }
        }
    }

    private void Give(T message)
    {
        TaskCompletionSource<bool>? waiting;
        lock (_asked)
        {
            waiting = _next;
            _next = null;
            if (waiting is not null) Current = message;
        }

        waiting?.TrySetResult(true);
    }
}
