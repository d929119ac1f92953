using System.Text;
using KwaaiNet.Cli.Api;
using KwaaiNet.Cli.Output;

namespace KwaaiNet.Cli.Commands;

/// <summary>One conversation: reads a line, streams the answer, remembers both.</summary>
/// <param name="context">What commands work with.</param>
/// <param name="url">The OpenAI API.</param>
/// <param name="wantedModel">The model to talk to; null for the first one served.</param>
/// <param name="handler">Another transport, for tests.</param>
internal sealed class ChatSession(CommandContext context, string url, string? wantedModel, HttpMessageHandler? handler = null)
{
    private readonly List<ApiMessage> _messages = [];

    public async Task<int> RunAsync(CancellationToken cancellationToken)
    {
        using ApiClient client = new(url, handler);
        IReadOnlyList<ApiModel> models = await client.ListModelsAsync(cancellationToken).ConfigureAwait(false);
        string model = Choose(models);
        Terminal terminal = context.Terminal;
        terminal.Line($"Talking to {model}. /new starts over, /exit ends. Ctrl-C stops an answer.");
        bool failed = false;
        while (!cancellationToken.IsCancellationRequested)
        {
            terminal.Text("> ");
            string? line = await ReadLineAsync(cancellationToken).ConfigureAwait(false);
            if (line is null || line.Trim() == "/exit")
            {
                break;
            }

            if (line.Trim() == "/new")
            {
                _messages.Clear();
            }
            else if (!string.IsNullOrWhiteSpace(line))
            {
                failed = !await AnswerAsync(client, model, line, cancellationToken).ConfigureAwait(false);
            }
        }

        terminal.Line();
        // A person has read the error and may have gone on; a script that fed one question wants to know.
        return failed && !terminal.Interactive ? ExitCode.Failure : ExitCode.Success;
    }

    private string Choose(IReadOnlyList<ApiModel> models)
    {
        if (models.Count == 0)
        {
            throw new CommandFailure("No model is served: shards are missing.", $"'{CommandName.For("status")}' shows which.");
        }

        return wantedModel is null || models.Any(model => model.Id == wantedModel)
            ? wantedModel ?? models[0].Id
            : throw new CommandFailure($"The model '{wantedModel}' is not served.", $"one of {string.Join(", ", models.Select(model => model.Id))}.");
    }

    private async Task<string?> ReadLineAsync(CancellationToken cancellationToken)
    {
        try
        {
            // A console's reads cannot be cancelled; on Ctrl-C the process goes and leaves the read behind.
            return await Task.Run(context.Terminal.Input.ReadLine, CancellationToken.None).WaitAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            return null;
        }
    }

    private async Task<bool> AnswerAsync(ApiClient client, string model, string question, CancellationToken cancellationToken)
    {
        _messages.Add(new ApiMessage("user", question));
        StringBuilder answer = new();
        using CancellationTokenSource stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        context.Interrupts.Intercept(() =>
        {
            stop.Cancel();
            return true;
        });
        try
        {
            await foreach (string text in client.StreamAsync(model, _messages, stop.Token).ConfigureAwait(false))
            {
                answer.Append(text);
                context.Terminal.Text(text);
            }

            context.Terminal.Line();
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            context.Terminal.Line(" (stopped)");
        }
        catch (CommandFailure failure)
        {
            context.Terminal.Line();
            context.Terminal.Error(failure.Message, failure.Remedy);
            _messages.RemoveAt(_messages.Count - 1);
            return false;
        }
        finally
        {
            context.Interrupts.Intercept(null);
        }

        _messages.Add(new ApiMessage("assistant", answer.ToString()));
        return true;
    }
}
