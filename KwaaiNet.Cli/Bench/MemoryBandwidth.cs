using System.Diagnostics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace KwaaiNet.Cli.Bench;

/// <summary>How fast this machine's threads can read memory: what decoding, which reads every weight once a token, is bound by.</summary>
/// <remarks>Swept again and again between the tokens that it is compared with: on a machine that others use too, a minute later is another machine.</remarks>
internal sealed unsafe class MemoryBandwidth : IDisposable
{
    // Far beyond any processor's cache but a server's largest, and small enough to have beside a model.
    private const long BufferBytes = 1L << 29;

    private readonly byte* _buffer;
    private readonly int _threads;
    private readonly List<double> _sweeps = [];

    /// <param name="threads">How many threads read at once, each its own part.</param>
    public MemoryBandwidth(int threads)
    {
        _threads = threads;
        _buffer = (byte*)NativeMemory.AlignedAlloc((nuint)BufferBytes, 64);
        NativeMemory.Fill(_buffer, (nuint)BufferBytes, 1); // every page exists
    }

    /// <summary>The median of the sweeps, bytes a second in units of 10^9. At least one must have been made.</summary>
    public double Median
    {
        get
        {
            _sweeps.Sort();
            return _sweeps[_sweeps.Count / 2];
        }
    }

    /// <summary>Reads the buffer from end to end.</summary>
    public void Sweep()
    {
        long share = BufferBytes / _threads & ~511L;
        using Barrier start = new(_threads + 1);
        long[] sums = new long[_threads];
        Thread[] readers = [.. Enumerable.Range(0, _threads).Select(i => new Thread(() =>
        {
            start.SignalAndWait();
            sums[i] = Read(_buffer + (i * share), share);
        }))];
        foreach (Thread reader in readers) reader.Start();
        start.SignalAndWait();
        long began = Stopwatch.GetTimestamp();
        foreach (Thread reader in readers) reader.Join();
        double seconds = Stopwatch.GetElapsedTime(began).TotalSeconds;
        _sweeps.Add(sums.All(sum => sum != 0) ? BufferBytes / seconds / 1e9 : 0);
    }

    public void Dispose() => NativeMemory.AlignedFree(_buffer);

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
