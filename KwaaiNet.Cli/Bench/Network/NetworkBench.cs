using System.Diagnostics;
using System.Text.Json;
using KwaaiNet.CandelEngine.Models;
using KwaaiNet.CandelEngine.Models.Formats;
using KwaaiNet.Cli.Network;
using KwaaiNet.Cli.Output;

namespace KwaaiNet.Cli.Bench.Network;

/// <summary>Measures a whole network of real processes on this machine through its API, beside the engine alone.</summary>
internal sealed class NetworkBench(NetworkBenchOptions options, TimeProvider clock, Action<string, double> progress)
{
    private const int RoundsThatWarm = 1;
    private const int LeastRoundsToLeaveOneOut = 3;
    private const string Client = "client";

    /// <exception cref="CommandFailure">The network does not come up, or an answer breaks off.</exception>
    /// <exception cref="OperationCanceledException">The run was stopped; the network is down.</exception>
    public async Task<NetworkBenchResult> RunAsync(CancellationToken cancellationToken)
    {
        EngineBenchResult? before = Engine(cancellationToken);
        Measured measured = await OnNetworkAsync(cancellationToken).ConfigureAwait(false);
        EngineBenchResult? after = Engine(cancellationToken);
        return Describe(measured, before, after);
    }

    private async Task<Measured> OnNetworkAsync(CancellationToken cancellationToken)
    {
        NetworkOptions wanted = new() { Shards = options.Shards, Port = 0, Backend = options.Backend, Settings = options.Settings };
        await using BenchNetwork network = await BenchNetwork.StartAsync(
            NetworkPlan.Create(wanted, options.Model), options.RoundTrip, clock, text => progress(text, 0), cancellationToken, stopNow: cancellationToken).ConfigureAwait(false);
        using ModelFile model = ModelFile.Open(options.Model.Path);
        Measured measured = await MeasureAsync(network, model, cancellationToken).ConfigureAwait(false);
        if (options.WhilePrompt == 0) return measured;

        Interference interference = new(options, network, model);
        return measured with { Interference = await interference.RunAsync(fraction => progress("long prompts", fraction), cancellationToken).ConfigureAwait(false) };
    }

    private EngineBenchResult? Engine(CancellationToken cancellationToken) => !options.Engine ? null : EngineBench.Run(
        new EngineBenchOptions(options.Model.Path, options.Backend, null, 0, options.Prompt, options.Generate, options.Users, CandelEngine.Compute.KvFormat.F16),
        (stage, fraction) => progress($"engine: {stage}", fraction),
        cancellationToken);

    private async Task<Measured> MeasureAsync(BenchNetwork network, ModelFile model, CancellationToken cancellationToken)
    {
        string prefix = BenchText.OfTokens(model.Tokenizer, options.SharedPrefix, seed: 1);
        BenchClient[] users = [.. Enumerable.Range(0, options.Users).Select(_ => new BenchClient(network.Url, options.Model.Name, model.Tokenizer.EndOfGenerationIds))];
        try
        {
            List<BenchRound> rounds = [];
            Dictionary<string, TimeSpan> spent = Processors(network);
            for (int round = 0; round < options.Rounds; round++)
            {
                progress("network", (double)round / options.Rounds);
                string[] questions = [.. users.Select((_, user) => BenchText.OfTokens(model.Tokenizer, options.Prompt - options.SharedPrefix, seed: 2 + (round * users.Length) + user))];
                if (round == RoundsThatWarm) spent = Processors(network);
                BenchAnswer[] answers = await Task.WhenAll(users.Select((user, i) => user.AskAsync(BenchQuestion.Of(prefix, questions[i], options.Generate), cancellationToken))).ConfigureAwait(false);
                rounds.Add(new BenchRound([.. answers.Select(answer => answer.MustBeTimed())]));
            }

            Dictionary<string, TimeSpan> spentAfter = Processors(network);
            int tokens = rounds.Skip(Math.Min(RoundsThatWarm, rounds.Count - 1)).Sum(round => round.Tokens);
            return new Measured(
                rounds,
                spentAfter.ToDictionary(process => process.Key, process => Math.Round((process.Value - spent[process.Key]).TotalMicroseconds / tokens, 1)),
                await StepMillisecondsAsync(network, cancellationToken).ConfigureAwait(false));
        }
        finally
        {
            foreach (BenchClient user in users) user.Dispose();
        }
    }

    // What shards announce: a mean of their own decode steps, weighted towards the last ones.
    private static async Task<double> StepMillisecondsAsync(BenchNetwork network, CancellationToken cancellationToken)
    {
        double sum = 0;
        foreach (string shard in network.Shards)
        {
            JsonElement status = await network.StatusAsync(shard, cancellationToken).ConfigureAwait(false);
            sum += 1_000 / status.GetProperty("decodeTokensPerSecond").GetDouble();
        }

        return sum;
    }

    private static Dictionary<string, TimeSpan> Processors(BenchNetwork network)
    {
        Dictionary<string, TimeSpan> spent = new(StringComparer.Ordinal);
        using (Process own = Process.GetCurrentProcess()) spent[Client] = own.TotalProcessorTime;
        foreach (string node in network.Shards.Append(NetworkPlan.ApiName))
        {
            using Process process = network.Open(node);
            spent[node] = process.TotalProcessorTime;
        }

        return spent;
    }

    private NetworkBenchResult Describe(Measured measured, EngineBenchResult? before, EngineBenchResult? after)
    {
        List<BenchRound> counted = measured.Rounds.Count < LeastRoundsToLeaveOneOut ? measured.Rounds : measured.Rounds[RoundsThatWarm..];
        BenchAnswer[] answers = [.. counted.SelectMany(round => round.Answers)];
        double[] gaps = [.. answers.SelectMany(answer => answer.Gaps)];
        double steady = Percentile.Median(counted.Select(round => round.SteadyRate));
        double first = Percentile.Median(answers.Select(answer => answer.TimeToFirstToken));
        double perToken = Percentile.Median(answers.Select(answer => answer.TimePerToken));
        double engine = Mean(before?.DecodeTokensPerSecond, after?.DecodeTokensPerSecond);
        bool alone = options.Users == 1;
        return new NetworkBenchResult
        {
            Model = options.Model.Name,
            Weights = options.Model.WeightFormat,
            Shards = options.Shards,
            Users = options.Users,
            Prompt = answers[0].PromptTokens,
            PromptsByRound = [.. measured.Rounds.Select(round => round.Prompts)],
            Generate = options.Generate,
            Rounds = options.Rounds,
            RoundTripMilliseconds = options.RoundTrip.TotalMilliseconds,
            TimeToFirstTokenP50 = Math.Round(first, 1),
            TimeToFirstTokenP99 = Math.Round(Percentile.Of(answers.Select(answer => answer.TimeToFirstToken), 0.99), 1),
            TimePerTokenP50 = Math.Round(perToken, 3),
            TimePerTokenP99 = Math.Round(Percentile.Of(answers.Select(answer => answer.TimePerToken), 0.99), 3),
            GapP50 = Math.Round(Percentile.Median(gaps), 3),
            GapP99 = Math.Round(Percentile.Of(gaps, 0.99), 3),
            TotalTokensPerSecond = Math.Round(Percentile.Median(counted.Select(round => round.TotalRate)), 2),
            SteadyTokensPerSecond = Math.Round(steady, 2),
            FirstTokensPerSecond = Math.Round(measured.Rounds[0].SteadyRate, 2),
            PrefillTokensPerSecond = Math.Round(answers[0].PromptTokens / first * 1_000, 1),
            Fairness = Math.Round(Percentile.Median(counted.Select(round => round.Fairness)), 3),
            HopP50 = alone ? Math.Round((perToken - measured.StepMilliseconds) / options.Shards, 3) : null,
            HopP99 = alone ? Math.Round((Percentile.Of(gaps, 0.99) - measured.StepMilliseconds) / options.Shards, 3) : null,
            ProcessorMicrosecondsPerToken = measured.Processors,
            SingleProcessTokensPerSecond = Math.Round(engine, 2),
            SingleProcessPrefillTokensPerSecond = Math.Round(Mean(before?.PrefillTokensPerSecond, after?.PrefillTokensPerSecond), 2),
            Ratio = engine > 0 ? Math.Round(steady / engine, 3) : null,
            WhilePrompt = measured.Interference,
        };
    }

    private static double Mean(double? one, double? other) => ((one ?? 0) + (other ?? 0)) / 2;

    private sealed record Measured(List<BenchRound> Rounds, IReadOnlyDictionary<string, double> Processors, double StepMilliseconds, InterferenceResult? Interference = null);
}
