using System.Diagnostics;
using KwaaiNet.CandelEngine.Models;
using KwaaiNet.Cli.Output;

namespace KwaaiNet.Cli.Bench.Network;

/// <summary>Lets users decode, sends a long prompt among them, and looks at the gaps in the users' answers before it and until its first token.</summary>
internal sealed class Interference(NetworkBenchOptions options, BenchNetwork network, ModelFile model)
{
    // Pieces of text: all users are past their own prompts, and then as many again to know the usual gap.
    private const int SettlingPieces = 8;
    private const int PiecesBefore = 32;

    // Enough to have a first one and to see that the answer goes on.
    private const int LongPromptsAnswer = 4;

    // Apart from those of the rounds before: nothing of these prompts has been computed yet.
    private const int FirstSeed = 1 << 20;

    private readonly List<BenchAnswer> _prompts = [];
    private readonly List<double> _before = [];
    private readonly List<double> _during = [];

    /// <exception cref="CommandFailure">An answer broke off, or a user's ended before the long prompt was computed.</exception>
    public async Task<InterferenceResult> RunAsync(Action<double> progress, CancellationToken cancellationToken)
    {
        BenchClient[] clients = [.. Enumerable.Range(0, options.Users + 1).Select(_ => new BenchClient(network.Url, options.Model.Name, model.Tokenizer.EndOfGenerationIds))];
        try
        {
            for (int round = 0; round < options.Rounds; round++)
            {
                progress((double)round / options.Rounds);
                await RoundAsync(round, clients[0], clients[1..], cancellationToken).ConfigureAwait(false);
            }
        }
        finally
        {
            foreach (BenchClient client in clients) client.Dispose();
        }

        return InterferenceResult.Of(_prompts, _before, _during);
    }

    private async Task RoundAsync(int round, BenchClient sender, BenchClient[] users, CancellationToken cancellationToken)
    {
        bool isOver = false;
        int seed = FirstSeed + (round * (users.Length + 1));
        Listener[] listeners = [.. users.Select(_ => new Listener())];
        Task<BenchAnswer>[] decoding = [.. users.Select((user, i) => user.AskAsync(
            BenchQuestion.Of("", BenchText.OfTokens(model.Tokenizer, options.Prompt, seed + 1 + i), tokens: null),
            cancellationToken,
            answer =>
            {
                listeners[i].Heard(answer.Arrivals.Count);
                return !Volatile.Read(ref isOver);
            }))];
        try
        {
            BenchQuestion question = BenchQuestion.Of("", BenchText.OfTokens(model.Tokenizer, options.WhilePrompt, seed), LongPromptsAnswer);
            await EachHearsAsync(listeners, SettlingPieces, decoding).ConfigureAwait(false);
            long settled = Stopwatch.GetTimestamp();
            await EachHearsAsync(listeners, PiecesBefore, decoding).ConfigureAwait(false);
            BenchAnswer prompt = (await sender.AskAsync(question, cancellationToken).ConfigureAwait(false)).MustBeTimed();
            Volatile.Write(ref isOver, true);
            foreach (BenchAnswer answer in await Task.WhenAll(decoding).ConfigureAwait(false))
            {
                answer.MustBeTimed();
                if (answer.Last < prompt.First) throw Ended();
                _before.AddRange(answer.GapsWithin(settled, prompt.Started));
                _during.AddRange(answer.GapsDuring(prompt.Started, prompt.First));
            }

            _prompts.Add(prompt);
        }
        finally
        {
            Volatile.Write(ref isOver, true);
            await ((Task)Task.WhenAll(decoding)).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private static async Task EachHearsAsync(Listener[] listeners, int pieces, Task<BenchAnswer>[] decoding)
    {
        Task all = Task.WhenAll(listeners.Select(listener => listener.HearsAsync(pieces)));
        // An answer that ends here has ended too early, or with an error that says more.
        if (await Task.WhenAny(decoding.Prepend(all)).ConfigureAwait(false) is Task<BenchAnswer> ended)
        {
            (await ended.ConfigureAwait(false)).MustBeTimed();
            throw Ended();
        }
    }

    private static CommandFailure Ended() => new("A user's answer filled the model's context before the long prompt was computed.", "take a shorter --while-prompt or --prompt.");

    /// <summary>Counts the pieces of one answer for somebody who waits for so many more.</summary>
    private sealed class Listener
    {
        private readonly Lock _gate = new();
        private TaskCompletionSource? _waiting;
        private int _awaited;
        private int _heard;

        public void Heard(int pieces)
        {
            lock (_gate)
            {
                _heard = pieces;
                if (_heard >= _awaited) _waiting?.TrySetResult();
            }
        }

        public Task HearsAsync(int more)
        {
            lock (_gate)
            {
                _awaited = _heard + more;
                _waiting = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
                return _waiting.Task;
            }
        }
    }
}
