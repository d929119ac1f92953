using KwaaiNet.CandelEngine.Compute;

namespace KwaaiNet.ShardNode.Loading;

/// <summary>Runs freshly loaded blocks before anybody else does: code is compiled, weights are read, and what a device records for a batch size is recorded.</summary>
internal static class WarmUp
{
    // The first run of a shape compiles, later ones may record what is repeated from then on.
    private const int RunsOfShape = 3;

    // A processor's code is compiled well once the runtime has seen it run for a tenth of a second; twice that, and then some.
    private static readonly TimeSpan s_long = TimeSpan.FromMilliseconds(300);
    private const int MostRounds = 200;
    private const int RowsOfRound = 64;
    private const int SessionsOfRound = 8;

    // Batches of decode steps beyond this run in pieces, or in a shape they share.
    private const int MostSessions = 32;

    /// <summary>Runs prompts and batches of single steps, zeros all of them: what is made does not depend on the numbers.</summary>
    /// <param name="stack">The blocks.</param>
    /// <param name="prefillRows">Prompt rows a turn may have.</param>
    /// <param name="maxSessions">Sessions that may be open at once.</param>
    /// <param name="cancellationToken">Stops between two shapes.</param>
    /// <exception cref="ComputeException">The device failed.</exception>
    public static void Run(IBlockStack stack, int prefillRows, int maxSessions, CancellationToken cancellationToken)
    {
        foreach (int rows in Doublings(Math.Min(prefillRows, stack.Shape.ContextLength))) RunShape(stack, 1, rows, cancellationToken);
        foreach (int sessions in Doublings(Math.Min(maxSessions, MostSessions))) RunShape(stack, sessions, 1, cancellationToken);
    }

    /// <summary>Runs a prompt, some sessions together and one alone, over and over for 0.3 s: what a processor runs is compiled, and its pages are in memory.</summary>
    /// <param name="stack">The blocks.</param>
    /// <param name="time">The clock.</param>
    /// <param name="cancellationToken">Stops between two shapes.</param>
    /// <exception cref="ComputeException">The device failed.</exception>
    public static void RunForAWhile(IBlockStack stack, TimeProvider time, CancellationToken cancellationToken)
    {
        long start = time.GetTimestamp();
        for (int round = 0; round < MostRounds && time.GetElapsedTime(start) < s_long; round++)
        {
            RunShape(stack, 1, Math.Min(RowsOfRound, stack.Shape.ContextLength), cancellationToken);
            RunShape(stack, SessionsOfRound, 1, cancellationToken);
            RunShape(stack, 1, 1, cancellationToken);
        }
    }

    /// <summary>1, 2, 4 and so on below the last, and the last.</summary>
    internal static IEnumerable<int> Doublings(int last)
    {
        for (int value = 1; value < last; value *= 2) yield return value;

        yield return last;
    }

    private static void RunShape(IBlockStack stack, int sessions, int rows, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        BlockStackOptions held = stack.Options;
        List<KvCache> caches = [];
        try
        {
            while (caches.Count < sessions) caches.Add(stack.CreateCache(held.FirstBlock, held.EndBlock));

            int width = stack.Shape.Width;
            BlockStep[] batch = [.. caches.Select(cache => new BlockStep
            {
                Cache = cache,
                Rows = rows,
                Tokens = held.Embedding ? new int[rows] : default(ReadOnlyMemory<int>),
                Input = held.Embedding ? default(ReadOnlyMemory<float>) : new float[rows * width],
                Output = held.OutputHead ? default(Memory<float>) : new float[rows * width],
                Logits = held.OutputHead ? new float[stack.Shape.VocabularySize] : default(Memory<float>),
                Boundary = stack.Shape.HiddenExceedsHalf ? HiddenFormat.F32 : HiddenFormat.F16,
            })];
            for (int run = 0; run < RunsOfShape; run++)
            {
                stack.Run(batch);
                foreach (KvCache cache in caches) cache.Truncate(0);
            }
        }
        catch (KvExhaustedException)
        {
            // A shape that the budget has no room for is one that serving will not have.
        }
        finally
        {
            foreach (KvCache cache in caches) cache.Dispose();
        }
    }
}
