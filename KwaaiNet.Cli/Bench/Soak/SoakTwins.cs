using KwaaiNet.CandelEngine.Models;
using KwaaiNet.Cli.Api;
using KwaaiNet.Cli.Bench.Network;
using KwaaiNet.Cli.Output;

namespace KwaaiNet.Cli.Bench.Soak;

/// <summary>Has every conversation of a plan once, one request at a time: what is answered then is what must always be answered.</summary>
internal sealed class SoakTwins(SoakPlan plan, string model, string url, ModelFile file)
{
    private const int SystemSeed = -1;

    /// <summary>The turns of each conversation, with their answers.</summary>
    /// <exception cref="CommandFailure">A request was not answered although nothing else ran.</exception>
    public async Task<IReadOnlyList<IReadOnlyList<SoakTurn>>> AskAsync(Action<double> progress, CancellationToken cancellationToken)
    {
        List<IReadOnlyList<SoakTurn>> conversations = [];
        foreach (ConversationShape shape in plan.Conversations)
        {
            progress((double)conversations.Count / plan.Conversations.Count);
            conversations.Add(await ConverseAsync(conversations.Count, shape, cancellationToken).ConfigureAwait(false));
        }

        return conversations;
    }

    private async Task<IReadOnlyList<SoakTurn>> ConverseAsync(int number, ConversationShape shape, CancellationToken cancellationToken)
    {
        List<SoakTurn> turns = [];
        List<ApiMessage> messages = [];
        if (shape.System > 0) messages.Add(new ApiMessage("system", BenchText.OfTokens(file.Tokenizer, shape.System, SystemSeed)));
        foreach (TurnShape turn in shape.Turns)
        {
            int seed = (number * 100) + turns.Count;
            messages.Add(new ApiMessage("user", BenchText.OfTokens(file.Tokenizer, turn.Prompt, seed)));
            BenchQuestion question = new([.. messages], turn.Answer, shape.EndsByItself);
            string name = $"conversation {number + 1}, turn {turns.Count + 1}";
            // A key of its own finds nothing that was computed before: from the first token to the last, as on a network that has seen nothing.
            using BenchClient client = new(url, model, file.Tokenizer.EndOfGenerationIds) { KeepsText = true, Key = $"twin {seed}" };
            BenchAnswer answer = await client.AskAsync(question, cancellationToken).ConfigureAwait(false);
            if (answer.Problem is { } problem) throw new CommandFailure($"The request to compare with ({name}) was not answered: {answer.Status} {problem}", "look into the model and the settings; nothing else ran.");

            string text = answer.Text!.ToString();
            turns.Add(new SoakTurn(name, question, text, answer.Tokens));
            // A template may refuse an empty answer in what was said before.
            if (string.IsNullOrWhiteSpace(text)) break;
            messages.Add(new ApiMessage("assistant", text));
        }

        return turns;
    }
}
