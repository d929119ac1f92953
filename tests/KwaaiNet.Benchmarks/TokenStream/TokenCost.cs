using System.Runtime.InteropServices;

namespace KwaaiNet.Benchmarks.TokenStream;

/// <summary>What was used up to a moment, or between two.</summary>
/// <param name="Process">Processor time of the process, in µs.</param>
/// <param name="Thread">Of it the calling thread's, in µs.</param>
/// <param name="Bytes">Bytes allocated in the process.</param>
internal readonly partial record struct TokenCost(double Process, double Thread, double Bytes)
{
    private const int ThisThread = 3;

    public static TokenCost Now()
    {
        Span<long> thread = stackalloc long[2];
        _ = clock_gettime(ThisThread, thread);
        return new TokenCost(Environment.CpuUsage.TotalTime.TotalMicroseconds, (thread[0] * 1e6) + (thread[1] / 1e3), GC.GetTotalAllocatedBytes(precise: true));
    }

    public static TokenCost operator -(TokenCost a, TokenCost b) => new(a.Process - b.Process, a.Thread - b.Thread, a.Bytes - b.Bytes);

    public static TokenCost operator /(TokenCost cost, int tokens) => new(cost.Process / tokens, cost.Thread / tokens, cost.Bytes / tokens);

    [LibraryImport("libc")]
    private static partial int clock_gettime(int clock, Span<long> secondsAndNanoseconds);
}
