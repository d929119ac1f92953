using System.Diagnostics;
using KwaaiNet.Fuzz.Mutation;
using KwaaiNet.Fuzz.Targets;

namespace KwaaiNet.Fuzz.Campaigns;

/// <summary>Many damaged inputs for one reader, one after the other; the same seed makes the same ones.</summary>
/// <remarks>An input that takes a new way through the reader (passes other stages, meets another error) is damaged further later on.</remarks>
/// <param name="target">The reader.</param>
/// <param name="seed">Decides the inputs.</param>
/// <param name="journal">Where the current input is kept against the process's death; null when it is not.</param>
internal sealed class Campaign(IFuzzTarget target, ulong seed, CrashJournal? journal = null)
{
    private const int MostKept = 400;
    private const int MostRuns = 5;

    private readonly HashSet<string> _ways = new(StringComparer.Ordinal);
    private byte[]? _current;
    private long _currentSince;
    private long _done;

    /// <summary>The reader's name.</summary>
    public string Target => target.Name;

    /// <summary>Inputs read so far. Any thread may ask.</summary>
    public long Done => Volatile.Read(ref _done);

    /// <summary>Ways through the reader seen so far.</summary>
    public int Ways { get; private set; }

    /// <summary>How long the current input has been taking, with the input; null between two. Any thread may ask.</summary>
    public (TimeSpan Taken, byte[] Input)? Current =>
        Volatile.Read(ref _current) is { } input ? (Stopwatch.GetElapsedTime(Volatile.Read(ref _currentSince)), input) : null;

    /// <summary>Runs until so many inputs are read, or one breaks a rule, or it is cancelled.</summary>
    /// <param name="inputs">How many.</param>
    /// <param name="heavy">Whether to read the inputs first that are after time and memory; each takes seconds.</param>
    /// <param name="cancellationToken">Ends it after the current input.</param>
    /// <returns>The failure, or null.</returns>
    public FuzzFailure? Run(long inputs, bool heavy, CancellationToken cancellationToken)
    {
        List<FuzzSeed> pool = [.. target.Seeds];
        foreach (FuzzSeed valid in pool.Where(valid => heavy || !valid.IsHeavy))
        {
            if (Try(valid.Bytes, out _) is { } problem)
                return new FuzzFailure(target.Name, seed, 0, valid.Bytes, $"the valid input '{valid.Name}': {problem}");
        }

        pool.RemoveAll(valid => valid.IsHeavy);
        FuzzRandom random = new(seed);
        Mutator mutator = new(random, target.Words);
        while (_done < inputs && !cancellationToken.IsCancellationRequested)
        {
            FuzzSeed from = random.Pick(pool);
            byte[] input = mutator.Mutate(from, random.Pick(pool));
            if (Try(input, out string way) is { } problem)
                return new FuzzFailure(target.Name, seed, _done, input, problem);
            if (_ways.Add(way))
            {
                Ways = _ways.Count;
                if (pool.Count < MostKept && input.Length > 0)
                    pool.Add(new FuzzSeed(way, input, from.Fields));
            }

            Volatile.Write(ref _done, _done + 1);
        }

        return null;
    }

    /// <summary>Reads one input twice, and again where too much was allocated, and says which rule it broke.</summary>
    /// <param name="input">The input.</param>
    /// <param name="way">Which way it took.</param>
    public string? Try(byte[] input, out string way)
    {
        journal?.Begin(input);
        Volatile.Write(ref _currentSince, Stopwatch.GetTimestamp());
        Volatile.Write(ref _current, input);
        FuzzCase first = new(input);
        target.Run(first);
        FuzzCase second = first;
        if (first.Problem is null || first.IsAllocationProblem)
        {
            // Tables that are made once a process count in a first run only.
            // And a collection that other threads cause may leave the rest of this thread's room in the count; what the reader allocates, it allocates every time.
            for (int run = 1; run < MostRuns && (run == 1 || second.IsAllocationProblem); run++)
            {
                second = new FuzzCase(input);
                target.Run(second);
            }
        }

        Volatile.Write(ref _current, null);
        journal?.End();
        way = second.Way;
        return second.Problem ?? (first.Problem is null && first.Fingerprint != second.Fingerprint ? "two runs of the same input gave different results" : null);
    }
}
