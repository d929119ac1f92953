using System.IO.Pipes;
using System.Text.Json;
using KwaaiNet.Cli.Output;

namespace KwaaiNet.Cli.Control;

/// <summary>Sends one request to the running <c>kwaainet up</c>.</summary>
internal static class ControlClient
{
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(3);

    /// <summary>Sends a request and waits until it has been carried out.</summary>
    /// <param name="pipe">The pipe's name.</param>
    /// <param name="request">What is asked for.</param>
    /// <param name="patience">How long to wait for the reply: a supervisor that hangs gives none.</param>
    /// <param name="cancellationToken">Leaves; the request is then given up there too.</param>
    /// <returns>False when nobody answers at the pipe, or not in time.</returns>
    /// <exception cref="CommandFailure">It was refused, or it failed.</exception>
    public static async Task<bool> TrySendAsync(string pipe, string request, TimeSpan patience, CancellationToken cancellationToken)
    {
        using CancellationTokenSource limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(patience);
        try
        {
            await using NamedPipeClientStream client = new(".", pipe, PipeDirection.InOut, PipeOptions.Asynchronous | PipeOptions.CurrentUserOnly);
            await client.ConnectAsync(patience < s_patience ? patience : s_patience, limit.Token).ConfigureAwait(false);
            using StreamReader reader = new(client, leaveOpen: true);
            await using StreamWriter writer = new(client, leaveOpen: true) { AutoFlush = true };
            await writer.WriteLineAsync(request.AsMemory(), limit.Token).ConfigureAwait(false);
            string? line = await reader.ReadLineAsync(limit.Token).ConfigureAwait(false);
            ControlReply? reply = line is null ? null : JsonSerializer.Deserialize<ControlReply>(line);
            return reply?.Error is null
                ? reply is not null
                : throw new CommandFailure(reply.Error, reply.Remedy ?? "read the logs.");
        }
        catch (Exception exception) when (exception is IOException or TimeoutException or UnauthorizedAccessException or JsonException)
        {
            return false;
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return false;
        }
    }
}
