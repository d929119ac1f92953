using System.Diagnostics;
using ILGPU;
using ILGPU.Runtime;

namespace KwaaiNet.CandelEngine.Compute.Ilgpu;

/// <summary>How fast a device reads its own memory: what decoding, which reads every weight once a token, is bound by.</summary>
internal static class BandwidthProbe
{
    // Many times any card's cache, and long enough beside a launch.
    private const long GpuBytes = 4L << 30;
    private const long SimulatorBytes = 64L << 20;
    private const int Rounds = 3;

    /// <summary>Reads a buffer that no cache holds from end to end, some times over, and takes the best round.</summary>
    /// <returns>Bytes a second.</returns>
    internal static double Measure(IlgpuDevice device)
    {
        bool simulator = device.Accelerator.AcceleratorType == AcceleratorType.CPU;
        long free = device.FreeBytes is > 0 and var told ? told : device.Description.MemoryBytes;
        long bytes = Math.Min(simulator ? SimulatorBytes : GpuBytes, free / 2);
        int quads = (int)(bytes / Line.Bytes);
        int threads = Math.Min(quads, simulator ? 64 : device.Accelerator.NumMultiprocessors * device.Accelerator.MaxNumThreadsPerMultiprocessor);
        int sweeps = simulator ? 1 : 8;
        lock (device.Gate)
        {
            using MemoryBuffer1D<Line, Stride1D.Dense> buffer = device.Accelerator.Allocate1D<Line>(quads);
            using MemoryBuffer1D<int, Stride1D.Dense> sums = device.Accelerator.Allocate1D<int>(threads);
            Action<Index1D, ArrayView<Line>, int, ArrayView<int>> read = device.Accelerator.LoadAutoGroupedStreamKernel<Index1D, ArrayView<Line>, int, ArrayView<int>>(Read);
            Action<Index1D, ArrayView<Line>> fill = device.Accelerator.LoadAutoGroupedStreamKernel<Index1D, ArrayView<Line>>(Fill);
            fill(quads, buffer.View);
            read(threads, buffer.View, threads, sums.View); // the code is there, the clocks are up
            device.Accelerator.DefaultStream.Synchronize();
            double best = 0;
            for (int round = 0; round < Rounds; round++)
            {
                long began = Stopwatch.GetTimestamp();
                for (int sweep = 0; sweep < sweeps; sweep++) read(threads, buffer.View, threads, sums.View);
                device.Accelerator.DefaultStream.Synchronize();
                best = Math.Max(best, sweeps * (double)quads * Line.Bytes / Stopwatch.GetElapsedTime(began).TotalSeconds);
            }

            return best;
        }
    }

    /// <summary>Every number another: memory that compresses must not look fast.</summary>
    internal static void Fill(Index1D index, ArrayView<Line> buffer)
    {
        int mixed = (int)((uint)(int)index * 2654435761u);
        buffer[index] = new Line { A = mixed, B = mixed ^ index, C = mixed + index, D = ~mixed };
    }

    // Neighbouring threads read neighbouring 16 bytes; four loads are on their way before the first is used. The sums keep them from being left out.
    internal static void Read(Index1D index, ArrayView<Line> buffer, int threads, ArrayView<int> sums)
    {
        int length = buffer.IntLength;
        int step = 4 * threads;
        int sum = 0;
        int at = index;
        for (; at < length - (3 * threads); at += step)
        {
            Line a = buffer[at];
            Line b = buffer[at + threads];
            Line c = buffer[at + (2 * threads)];
            Line d = buffer[at + (3 * threads)];
            sum += (a.A ^ a.B ^ a.C ^ a.D) + (b.A ^ b.B ^ b.C ^ b.D) + (c.A ^ c.B ^ c.C ^ c.D) + (d.A ^ d.B ^ d.C ^ d.D);
        }

        for (; at < length; at += threads)
        {
            Line a = buffer[at];
            sum += a.A ^ a.B ^ a.C ^ a.D;
        }

        sums[index] = sum;
    }

    /// <summary>16 bytes, read as one.</summary>
    internal struct Line
    {
        internal const int Bytes = 16;

        internal int A;
        internal int B;
        internal int C;
        internal int D;
    }
}
