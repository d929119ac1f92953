using System.Buffers;

namespace KwaaiNet.ApiNode.Routes;

/// <summary>
/// Keeps the connection of a streamed answer from looking dead while nothing is there to send: <c>: keep-alive</c>, a comment by the
/// specification of server-sent events, which every client skips.
/// </summary>
/// <remarks>
/// <code>
/// 0 s       request; nothing is sent, so that an error has a status of its own
/// half      headers (200) and the first comment, if there is no token yet; an error is now an event
/// then      a comment whenever nothing was sent for the whole interval, also in the middle of an answer
/// </code>
/// Whoever writes to the response holds the <see cref="EnterAsync">gate</see>: the timer writes from a thread of its own.
/// </remarks>
internal sealed class StreamKeepAlive : IDisposable
{
    private readonly SemaphoreSlim _gate = new(1);
    private readonly HttpResponse _response;
    private readonly TimeProvider _time;
    private readonly TimeSpan _interval;
    private ITimer? _timer;
    private long _written;
    private bool _isWriting;

    /// <summary>Of one response.</summary>
    /// <param name="response">The response; its headers are still to be sent.</param>
    /// <param name="seconds">The interval; 0: never a comment.</param>
    /// <param name="time">The clock.</param>
    public StreamKeepAlive(HttpResponse response, double seconds, TimeProvider time)
    {
        _response = response;
        _time = time;
        _interval = TimeSpan.FromSeconds(seconds);
    }

    private static ReadOnlySpan<byte> Comment => ": keep-alive\n\n"u8;

    /// <summary>Waits for the first token as long as the response may be without headers.</summary>
    /// <param name="first">Done when the first token, or a failure, is there.</param>
    /// <param name="cancellationToken">The client has gone.</param>
    public async Task WaitForFirstAsync(Task first, CancellationToken cancellationToken)
    {
        if (_interval <= TimeSpan.Zero || first.IsCompleted)
        {
            await first.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            return;
        }

        using CancellationTokenSource enough = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        await Task.WhenAny(first, Task.Delay(_interval / 2, _time, enough.Token)).ConfigureAwait(false);
        await enough.CancelAsync().ConfigureAwait(false);
    }

    /// <summary>Comments from now on: at once when <paramref name="isLate"/>, then whenever nothing was written for an interval.</summary>
    public async Task StartAsync(bool isLate, CancellationToken cancellationToken)
    {
        _written = _time.GetTimestamp();
        if (_interval <= TimeSpan.Zero)
        {
            return;
        }

        if (isLate)
        {
            await WriteAsync(cancellationToken).ConfigureAwait(false);
        }

        _timer = _time.CreateTimer(_ => _ = LookAsync(cancellationToken), null, _interval, _interval);
    }

    /// <summary>Before something is written, by the one who writes the answer; who has not left since the last time is in. A wait only where the timer writes in this moment.</summary>
    public async ValueTask EnterAsync(CancellationToken cancellationToken)
    {
        if (_isWriting)
        {
            return;
        }

        await _gate.WaitAsync(cancellationToken).ConfigureAwait(false);
        _isWriting = true;
    }

    /// <summary>After it has been written and flushed.</summary>
    public void Leave()
    {
        _written = _time.GetTimestamp();
        _isWriting = false;
        _gate.Release();
    }

    /// <summary>No comment starts after this.</summary>
    public void Dispose() => _timer?.Dispose();

    private async Task LookAsync(CancellationToken cancellationToken)
    {
        // Somebody writes: then nobody waits.
        if (!await _gate.WaitAsync(0, CancellationToken.None).ConfigureAwait(false))
        {
            return;
        }

        try
        {
            if (_time.GetElapsedTime(_written) >= _interval)
            {
                await WriteAsync(cancellationToken).ConfigureAwait(false);
                _written = _time.GetTimestamp();
            }
        }
        catch (Exception gone) when (gone is OperationCanceledException or IOException or ObjectDisposedException or InvalidOperationException)
        {
            // The client has left or the response is over: the request ends of that itself.
        }
        finally
        {
            _gate.Release();
        }
    }

    private async Task WriteAsync(CancellationToken cancellationToken)
    {
        _response.BodyWriter.Write(Comment);
        await _response.BodyWriter.FlushAsync(cancellationToken).ConfigureAwait(false);
    }
}
