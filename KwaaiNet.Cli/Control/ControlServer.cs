using System.IO.Pipes;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using KwaaiNet.Cli.Output;

namespace KwaaiNet.Cli.Control;

/// <summary>Takes requests from other <c>kwaainet</c> commands, side by side, for as long as the network runs.</summary>
/// <remarks>A request that waits keeps nobody else waiting; it ends when it is done, at its limit, or when its caller has left.</remarks>
/// <param name="pipe">The pipe's name.</param>
/// <param name="handle">Carries a request out; what it throws as <see cref="CommandFailure"/> is the reply.</param>
/// <param name="trouble">Told when nobody can reach the pipe, and when they can again.</param>
/// <param name="clock">The clock of limits.</param>
internal sealed class ControlServer(string pipe, Func<string, CancellationToken, Task> handle, Action<string> trouble, TimeProvider clock)
{
    /// <summary>How long a request may take to be carried out: a large model loads for minutes.</summary>
    public static readonly TimeSpan RequestLimit = TimeSpan.FromMinutes(5);

    /// <summary>How long a caller may take to say what it wants, or to take its reply.</summary>
    public static readonly TimeSpan CallerLimit = TimeSpan.FromSeconds(5);

    private const int LongestRequest = 1024;
    private static readonly TimeSpan s_retry = TimeSpan.FromSeconds(2);
    private readonly Lock _gate = new();
    private readonly HashSet<Task> _calls = [];

    public async Task RunAsync(CancellationToken cancellationToken)
    {
        bool inTrouble = false;
        NamedPipeServerStream? listening = null;
        try
        {
            while (true)
            {
                try
                {
                    listening ??= Listen();
                    if (inTrouble)
                    {
                        trouble("Other commands can reach this network again.");
                        inTrouble = false;
                    }

                    await listening.WaitForConnectionAsync(cancellationToken).ConfigureAwait(false);
                    NamedPipeServerStream caller = listening;
                    listening = null;
                    // The next one listens before this one may end: with its last listener the pipe would go, and turn callers away.
                    try
                    {
                        listening = Listen();
                    }
                    finally
                    {
                        Begin(caller, cancellationToken);
                    }
                }
                catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or SocketException or ArgumentException or PlatformNotSupportedException)
                {
                    if (!inTrouble)
                    {
                        trouble($"Other commands cannot reach this network ('restart' will not work, 'down' ends it without asking): {exception.Message}");
                        inTrouble = true;
                    }

                    await Task.Delay(s_retry, clock, cancellationToken).ConfigureAwait(false);
                }
            }
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            // The network is going down; who has been heard is still answered.
        }
        finally
        {
            if (listening is not null)
            {
                await listening.DisposeAsync().ConfigureAwait(false);
            }

            Task[] calls;
            lock (_gate)
            {
                calls = [.. _calls];
            }

            await Task.WhenAll(calls).ConfigureAwait(false);
        }
    }

    private NamedPipeServerStream Listen() => new(
        pipe, PipeDirection.InOut, NamedPipeServerStream.MaxAllowedServerInstances, PipeTransmissionMode.Byte, PipeOptions.Asynchronous | PipeOptions.CurrentUserOnly);

    private void Begin(NamedPipeServerStream caller, CancellationToken cancellationToken)
    {
        lock (_gate)
        {
            _calls.RemoveWhere(call => call.IsCompleted);
            _calls.Add(ServeAsync(caller, cancellationToken));
        }
    }

    private async Task ServeAsync(NamedPipeServerStream caller, CancellationToken cancellationToken)
    {
        await using (caller.ConfigureAwait(false))
        {
            try
            {
                if (await ReadRequestAsync(caller, cancellationToken).ConfigureAwait(false) is not { } request)
                {
                    return;
                }

                using CancellationTokenSource limit = new(RequestLimit, clock);
                using CancellationTokenSource over = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, limit.Token);
                Task watching = WatchCallerAsync(caller, over);
                ControlReply reply = await CarryOutAsync(request, over.Token, limit.Token, cancellationToken).ConfigureAwait(false);
                await over.CancelAsync().ConfigureAwait(false);
                await watching.ConfigureAwait(false);
                await ReplyAsync(caller, reply).ConfigureAwait(false);
            }
            catch (Exception exception) when (exception is IOException or OperationCanceledException or ObjectDisposedException)
            {
                // The caller left before it was answered, or never said what it wanted.
            }
        }
    }

    private async Task<string?> ReadRequestAsync(NamedPipeServerStream caller, CancellationToken cancellationToken)
    {
        using CancellationTokenSource limit = new(CallerLimit, clock);
        using CancellationTokenSource either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancellationToken);
        byte[] buffer = new byte[LongestRequest];
        int length = 0;
        while (length < buffer.Length)
        {
            int read = await caller.ReadAsync(buffer.AsMemory(length), either.Token).ConfigureAwait(false);
            if (read == 0)
            {
                return null;
            }

            length += read;
            int end = buffer.AsSpan(0, length).IndexOf((byte)'\n');
            if (end >= 0)
            {
                return Encoding.UTF8.GetString(buffer, 0, end).TrimEnd('\r');
            }
        }

        return null;
    }

    private async Task<ControlReply> CarryOutAsync(string request, CancellationToken over, CancellationToken limit, CancellationToken stopping)
    {
        try
        {
            await handle(request, over).ConfigureAwait(false);
            return new ControlReply();
        }
        catch (CommandFailure failure)
        {
            return new ControlReply(failure.Message, failure.Remedy);
        }
        catch (OperationCanceledException) when (over.IsCancellationRequested)
        {
            return stopping.IsCancellationRequested ? new ControlReply("The network is stopping.", "start it again when it is down.")
                : limit.IsCancellationRequested ? new ControlReply($"'{request}' was not done within {RequestLimit.TotalMinutes:0} minutes.", $"'{CommandName.For("status")}' and '{CommandName.For("logs")}' show what it waits for.")
                : new ControlReply("The caller has left.", "ask again.");
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or InvalidOperationException)
        {
            return new ControlReply(exception.Message, "make room on the disk, or make the folder writable.");
        }
    }

    /// <summary>A caller says one thing and waits; the end of its side is its leaving.</summary>
    private static async Task WatchCallerAsync(NamedPipeServerStream caller, CancellationTokenSource over)
    {
        byte[] rest = new byte[LongestRequest];
        try
        {
            while (await caller.ReadAsync(rest, over.Token).ConfigureAwait(false) > 0)
            {
                // Whatever it still says is not asked for.
            }

            await over.CancelAsync().ConfigureAwait(false);
        }
        catch (Exception exception) when (exception is IOException or OperationCanceledException or ObjectDisposedException)
        {
            if (!over.IsCancellationRequested)
            {
                await over.CancelAsync().ConfigureAwait(false);
            }
        }
    }

    private async Task ReplyAsync(NamedPipeServerStream caller, ControlReply reply)
    {
        // With a limit of its own: the reply to 'stop' goes out when everything else has been told to end.
        using CancellationTokenSource limit = new(CallerLimit, clock);
        await caller.WriteAsync(Encoding.UTF8.GetBytes(JsonSerializer.Serialize(reply) + "\n"), limit.Token).ConfigureAwait(false);
        await caller.FlushAsync(limit.Token).ConfigureAwait(false);
        if (OperatingSystem.IsWindows())
        {
            // There, what the caller has not read is lost when the pipe ends. It closes its side when it has read.
            byte[] rest = new byte[1];
            _ = await caller.ReadAsync(rest, limit.Token).ConfigureAwait(false);
        }
    }
}
