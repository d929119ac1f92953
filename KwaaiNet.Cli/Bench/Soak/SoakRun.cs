using KwaaiNet.CandelEngine.Models;
using KwaaiNet.CandelEngine.Models.Formats;
using KwaaiNet.Cli.Bench.Network;
using KwaaiNet.Cli.Network;
using KwaaiNet.Cli.Output;

namespace KwaaiNet.Cli.Bench.Soak;

/// <summary>Lets requests arrive and depart on a network of real processes, and looks whether anything is left of them, or different for them.</summary>
internal sealed class SoakRun(SoakOptions options, TimeProvider clock, Action<SoakProgress> progress)
{
    private const int DefaultContext = 2_048;
    private const string Key = "soak";

    private static readonly TimeSpan s_shownEvery = TimeSpan.FromMilliseconds(500);
    private static readonly TimeSpan s_patienceInterrupted = TimeSpan.FromSeconds(5);

    /// <summary>Runs it.</summary>
    /// <param name="stop">Ctrl-C: during the start it ends everything; later the result is of what was seen until then.</param>
    /// <param name="stopNow">Ctrl-C once more: nobody waits for nodes that stop.</param>
    /// <exception cref="CommandFailure">The network does not come up, or does not answer although nothing else runs.</exception>
    /// <exception cref="OperationCanceledException">It was stopped before the first request.</exception>
    public async Task<SoakResult> RunAsync(CancellationToken stop, CancellationToken stopNow)
    {
        NetworkOptions wanted = new() { Shards = options.Shards, Replicas = options.Replicas, Port = 0, Backend = options.Backend, Settings = options.Settings };
        using ModelFile file = ModelFile.Open(options.Model.Path);
        await using BenchNetwork network = await BenchNetwork.StartAsync(
            NetworkPlan.Create(wanted, options.Model), TimeSpan.Zero, clock, text => progress(new SoakProgress(text, 0)), stop, stopNow).ConfigureAwait(false);
        SoakNodes nodes = new(network, clock);
        IReadOnlyList<ShardRoom> roomBefore = await nodes.RoomAsync(before: null, stop).ConfigureAwait(false);
        SoakPlan plan = SoakPlan.Draw(options.Seed, options.Model.ContextLength ?? DefaultContext, options.Requests);
        IReadOnlyList<IReadOnlyList<SoakTurn>> conversations = await new SoakTwins(plan, options.Model.Name, network.Url, file)
            .AskAsync(fraction => progress(new SoakProgress("twins", fraction)), stop).ConfigureAwait(false);
        await nodes.ReturnedAsync(roomBefore, SoakNodes.Patience, stop).ConfigureAwait(false);
        IReadOnlyDictionary<string, long> memoryBefore = nodes.Memory();

        long start = clock.GetTimestamp();
        SoakTally tally = new();
        await AskAsync(network, file, plan, conversations, tally, stop).ConfigureAwait(false);
        TimeSpan took = clock.GetElapsedTime(start);

        progress(new SoakProgress("waiting until nothing is open", 0));
        TimeSpan patience = stop.IsCancellationRequested ? s_patienceInterrupted : SoakNodes.Patience;
        IReadOnlyList<ShardRoom> rooms = await nodes.ReturnedAsync(roomBefore, patience, stopNow).ConfigureAwait(false);
        IReadOnlyDictionary<string, long> memory = nodes.Memory();
        return new SoakResult
        {
            Model = options.Model.Name,
            Weights = options.Model.WeightFormat,
            Shards = options.Shards,
            Replicas = options.Replicas,
            Users = options.Users,
            Seed = options.Seed,
            Shapes = conversations.Sum(turns => turns.Count),
            Seconds = Math.Round(took.TotalSeconds, 1),
            Interrupted = stop.IsCancellationRequested,
            Requests = tally.Counts,
            Processes = [.. memoryBefore.Select(process => new ProcessMemory(process.Key, process.Value, memory.TryGetValue(process.Key, out long bytes) ? bytes : null))],
            Kv = rooms,
            Deaths = network.Deaths,
            Examples = tally.Examples,
        };
    }

    private async Task AskAsync(
        BenchNetwork network, ModelFile file, SoakPlan plan, IReadOnlyList<IReadOnlyList<SoakTurn>> conversations, SoakTally tally, CancellationToken stop)
    {
        long start = clock.GetTimestamp();
        int drawn = 0;
        BenchClient[] clients = [.. Enumerable.Range(0, options.Users)
            .Select(_ => new BenchClient(network.Url, options.Model.Name, file.Tokenizer.EndOfGenerationIds) { KeepsText = true, Key = Key })];
        try
        {
            using PeriodicTimer timer = new(s_shownEvery, clock);
            Task asking = Task.WhenAll(clients.Select((client, user) => new SoakUser(plan.Visits(user), conversations, client, clock).RunAsync(MayAsk, tally, stop)));
            while (!asking.IsCompleted)
            {
                progress(new SoakProgress("asking", Fraction(), tally.Counts));
                await Task.WhenAny(asking, timer.WaitForNextTickAsync(CancellationToken.None).AsTask()).ConfigureAwait(false);
            }

            await asking.ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            // What was seen until then is the result.
        }
        finally
        {
            foreach (BenchClient client in clients) client.Dispose();
        }

        bool MayAsk() => options.Requests is { } most ? Interlocked.Increment(ref drawn) <= most : clock.GetElapsedTime(start) < options.Duration;

        double Fraction() => Math.Min(1, options.Requests is { } most ? (double)tally.Counts.Sent / most : clock.GetElapsedTime(start) / options.Duration);
    }
}
