using System.Diagnostics.CodeAnalysis;
using Google.Protobuf;
using Grpc.Core;

namespace KwaaiNet.Protocol.Links;

/// <summary>One direction of a link as gRPC's stream: a thread reads frames and runs whoever waits for them.</summary>
/// <remarks>
/// A message is read when it is asked for and not before, so a consumer that is slow holds the peer back through TCP's window. The
/// consumer's code behind <c>await MoveNext</c>, or all of it in <see cref="ForEachAsync"/>, runs on the reading thread until it waits for something else.
/// </remarks>
internal sealed class LinkReader<T> : IAsyncStreamReader<T>, IMessageLoop<T>, ILinkReading
    where T : class
{
    private readonly LinkConnection _link;
    private readonly Marshaller<T> _marshaller;
    private readonly Action<Status> _ended;
    private readonly ILinkCodec<T>? _codec = LinkCodecs.Create<T>();
    private readonly SemaphoreSlim _asked = new(0);
    private Func<T, ValueTask>? _take;
    private TaskCompletionSource? _taken;
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
            if (_next is not null || _take is not null) throw new InvalidOperationException("The stream is being read already.");
            _next = next;
        }

        _asked.Release();
        return cancellationToken.CanBeCanceled ? WaitAsync(next, cancellationToken) : next.Task;
    }

    /// <inheritdoc/>
    public async Task ForEachAsync(Func<T, ValueTask> take, CancellationToken cancellationToken)
    {
        TaskCompletionSource taken = new(TaskCreationOptions.RunContinuationsAsynchronously);
        lock (_asked)
        {
            if (_failure is not null) throw _failure;
            if (_over) return;
            if (_next is not null || _take is not null) throw new InvalidOperationException("The stream is being read already.");
            _take = take;
            _taken = taken;
        }

        _asked.Release();
        await using (EndOn(cancellationToken).ConfigureAwait(false)) await taken.Task.ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public void End(Status status)
    {
        TaskCompletionSource<bool>? waiting;
        TaskCompletionSource? taken;
        lock (_asked)
        {
            if (_over || _failure is not null) return;
            if (status.StatusCode == StatusCode.OK) _over = true;
            else _failure = new RpcException(status);
            waiting = _next;
            taken = _taken;
            _next = null;
        }

        _asked.Release();
        if (_failure is not null)
        {
            waiting?.TrySetException(_failure);
            taken?.TrySetException(_failure);
        }
        else
        {
            waiting?.TrySetResult(false);
            taken?.TrySetResult();
        }
    }

    private async Task<bool> WaitAsync(TaskCompletionSource<bool> next, CancellationToken cancellationToken)
    {
        await using (EndOn(cancellationToken).ConfigureAwait(false)) return await next.Task.ConfigureAwait(false);
    }

    private CancellationTokenRegistration EndOn(CancellationToken cancellationToken) => cancellationToken.UnsafeRegister(
        static reader => ((LinkReader<T>)reader!).End(new Status(StatusCode.Cancelled, "The call was cancelled.")), this);

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
            if (HasLeft(out Func<T, ValueTask>? take)) return new Status(StatusCode.Cancelled, "The reader has left.");
            if (take is not null) return ReadAll(take);
            if (!TryRead(isPassing: false, out T? message, out Status end)) return end;
            Give(message);
        }
    }

    private Status ReadAll(Func<T, ValueTask> take)
    {
        Status end;
        while (TryRead(isPassing: true, out T? message, out end))
        {
            try
            {
                ValueTask taken = take(message);
                if (!taken.IsCompletedSuccessfully) taken.AsTask().GetAwaiter().GetResult();
            }
#pragma warning disable CA1031 // Whatever the consumer throws, it is the consumer's task that says so.
            catch (Exception fault)
#pragma warning restore CA1031
            {
                _taken!.TrySetException(fault);
                // Not the connection's end: the service, or the client, says what becomes of the call.
                return Status.DefaultSuccess;
            }

            if (HasLeft(out _)) return new Status(StatusCode.Cancelled, "The reader has left.");
        }

        return end;
    }

    private bool HasLeft(out Func<T, ValueTask>? take)
    {
        lock (_asked)
        {
            take = _take;
            return _over || _failure is not null;
        }
    }

    private bool TryRead(bool isPassing, [NotNullWhen(true)] out T? message, out Status end)
    {
        (LinkFrameKind kind, int length) = _link.ReadHeader();
        message = null;
        end = Status.DefaultSuccess;
        switch (kind)
        {
            case LinkFrameKind.Raw when _codec is not null:
                message = _codec.Read(_link, length, isPassing);
                return true;
            case LinkFrameKind.Data:
                message = LinkMessages.Parse(_marshaller, _link.ReadPayload(length));
                return true;
            case LinkFrameKind.End:
                return false;
            case LinkFrameKind.Status when length > 0:
                ReadOnlySpan<byte> status = _link.ReadPayload(length).Span;
                end = new Status((StatusCode)status[0], System.Text.Encoding.UTF8.GetString(status[1..]));
                return false;
            default:
                throw new InvalidDataException($"a frame of kind {kind} where none may be");
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
