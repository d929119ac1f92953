using System.IO.Pipes;
using System.Text.Json;
using KwaaiNet.Cli.Commands;

namespace KwaaiNet.Cli.Control;

/// <summary>Takes requests from other <c>kwaainet</c> commands, one after the other, for as long as the network runs.</summary>
/// <param name="pipe">The pipe's name.</param>
/// <param name="handle">Carries a request out; what it throws as <see cref="CommandFailure"/> is the reply.</param>
internal sealed class ControlServer(string pipe, Func<string, CancellationToken, Task> handle)
{
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        try
        {
            while (true)
            {
                await using NamedPipeServerStream server = new(
                    pipe, PipeDirection.InOut, 1, PipeTransmissionMode.Byte, PipeOptions.Asynchronous | PipeOptions.CurrentUserOnly);
                await server.WaitForConnectionAsync(cancellationToken).ConfigureAwait(false);
                await ServeAsync(server, cancellationToken).ConfigureAwait(false);
            }
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            // The network is going down; nobody is waiting for another answer.
        }
    }

    private async Task ServeAsync(NamedPipeServerStream server, CancellationToken cancellationToken)
    {
        try
        {
            using StreamReader reader = new(server, leaveOpen: true);
            await using StreamWriter writer = new(server, leaveOpen: true);
            string request = await reader.ReadLineAsync(cancellationToken).ConfigureAwait(false) ?? "";
            ControlReply reply = new();
            try
            {
                await handle(request, cancellationToken).ConfigureAwait(false);
            }
            catch (CommandFailure failure)
            {
                reply = new ControlReply(failure.Message, failure.Remedy);
            }

            await writer.WriteLineAsync(JsonSerializer.Serialize(reply)).ConfigureAwait(false);
        }
        catch (IOException)
        {
            // The caller left before it was answered.
        }
    }
}
