using System.Diagnostics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace KwaaiNet.Cli.Bench;

/// <summary>How fast this machine's threads can read memory: what decoding, which reads every weight once a token, is bound by.</summary>
internal static unsafe class MemoryBandwidth
{
    // Far beyond any processor's cache but a server's largest, and small enough to have beside a model.
    private const long BufferBytes = 1L << 29;
    private const int Sweeps = 4;

    /// <summary>Reads a buffer that no cache holds from end to end, each thread its own part, and takes the best of some sweeps.</summary>
    /// <param name="threads">How many threads read at once.</param>
    /// <returns>Bytes a second, in units of 10^9.</returns>
    public static double Measure(int threads)
    {
        var buffer = (byte*)NativeMemory.AlignedAlloc((nuint)BufferBytes, 64);
        try
        {
            NativeMemory.Fill(buffer, (nuint)BufferBytes, 1); // every page exists
            double best = 0;
            for (int sweep = 0; sweep < Sweeps; sweep++) best = Math.Max(best, BufferBytes / Sweep(buffer, threads) / 1e9);
            return best;
        }
        finally
        {
            NativeMemory.AlignedFree(buffer);
        }
    }

    private static double Sweep(byte* buffer, int threads)
    {
        long share = BufferBytes / threads & ~511L;
        using Barrier start = new(threads + 1);
        long[] sums = new long[threads];
        Thread[] readers = [.. Enumerable.Range(0, threads).Select(i => new Thread(() =>
        {
            start.SignalAndWait();
            sums[i] = Read(buffer + (i * share), share);
        }))];
        foreach (Thread reader in readers) reader.Start();
        start.SignalAndWait();
        long began = Stopwatch.GetTimestamp();
        foreach (Thread reader in readers) reader.Join();
        double seconds = Stopwatch.GetElapsedTime(began).TotalSeconds;
        return sums.All(sum => sum != 0) ? seconds : double.PositiveInfinity;
    }

    // Eight lines on the way at once; the sum keeps the reads from being left out.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static long Read(byte* from, long bytes)
    {
        Vector512<long> a = default, b = default, c = default, d = default;
        for (byte* end = from + bytes; from < end; from += 512)
        {
            a += Vector512.Load((long*)from) ^ Vector512.Load((long*)(from + 256));
            b += Vector512.Load((long*)(from + 64)) + Vector512.Load((long*)(from + 320));
            c += Vector512.Load((long*)(from + 128)) + Vector512.Load((long*)(from + 384));
            d += Vector512.Load((long*)(from + 192)) + Vector512.Load((long*)(from + 448));
        }

        return Vector512.Sum(a + b + c + d);
    }
}
