using System.IO.Pipes;
using System.Text.Json;
using KwaaiNet.Cli.Output;

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
            // One pipe for all callers: the next may knock while the one before is answered, and would be turned away by a pipe that ends with its caller.
            await using NamedPipeServerStream server = new(
                pipe, PipeDirection.InOut, 1, PipeTransmissionMode.Byte, PipeOptions.Asynchronous | PipeOptions.CurrentUserOnly);
            while (true)
            {
                await server.WaitForConnectionAsync(cancellationToken).ConfigureAwait(false);
                await ServeAsync(server, cancellationToken).ConfigureAwait(false);
                server.Disconnect();
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
            await writer.FlushAsync(cancellationToken).ConfigureAwait(false);
            if (OperatingSystem.IsWindows())
            {
                // There, what the caller has not read is lost when it is disconnected.
                server.WaitForPipeDrain();
            }
        }
        catch (IOException)
        {
            // The caller left before it was answered.
        }
    }
}
