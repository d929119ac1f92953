using System.CommandLine;
using KwaaiNet.Cli.Network;
using KwaaiNet.Cli.Output;
using KwaaiNet.Cli.State;

namespace KwaaiNet.Cli.Commands;

/// <summary><c>kwaainet chat</c>: a conversation in the terminal.</summary>
internal static class ChatCommand
{
    public static Command Create(CommandContext context)
    {
        Option<string?> model = new("--model") { Description = "The model to talk to. Default: the first one served." };
        Option<string?> url = new("--url") { Description = "An OpenAI API. Default: the running network's." };
        Command command = new("chat", "Talk to a model in the terminal. /exit ends it, Ctrl-C stops an answer.") { model, url };
        command.SetWork(context, (parsed, cancellationToken) =>
        {
            string address = parsed.GetValue(url)
                ?? (NetworkStateFile.ReadRunning(context.Home) is { Url.Length: > 0 } network ? network.Url : $"http://localhost:{NetworkOptions.DefaultPort}");
            if (!Uri.TryCreate(address, UriKind.Absolute, out Uri? parsedUrl) || parsedUrl.Scheme is not ("http" or "https"))
            {
                throw new CommandFailure($"'{address}' is not an address.", "--url http://HOST:PORT.");
            }

            return new ChatSession(context, address, parsed.GetValue(model)).RunAsync(cancellationToken);
        });
        return command;
    }
}
