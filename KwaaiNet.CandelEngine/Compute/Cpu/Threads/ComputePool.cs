using System.Diagnostics;
using System.Runtime.ExceptionServices;
using System.Runtime.InteropServices;

namespace KwaaiNet.CandelEngine.Compute.Cpu.Threads;

/// <summary>A few threads that run the indices of one job at a time.</summary>
/// <remarks>
/// Who runs which index is left to chance, so the work of an index must not depend on it. The calling thread takes part; when the
/// pool is already busy with another stack's job, the caller runs its job alone rather than wait. Nothing is allocated per job.
/// <para>
/// The jobs of one token follow each other within microseconds, so a thread without work looks for the next job for a moment before it
/// sleeps; longer would take the core from whoever else has work for it.
/// </para>
/// <para>
/// Each thread has a run of neighbouring indices of its own and takes them in order, so that what it reads lies side by side and what it
/// asked for ahead is its own. When its run is finished it helps with the others'. Indices are claimed one by one: a thread that the
/// system has stopped holds up the one index it is at, and the others go on with the rest.
/// </para>
/// </remarks>
internal sealed class ComputePool : IDisposable
{
    // Longer than the gap between two jobs of a token, shorter than a wake-up costs twice.
    private static readonly long s_lookTicks = Stopwatch.Frequency / 25_000; // 40 µs

    private readonly Lock _busy = new();
    private readonly object _signal = new();
    private readonly Thread[] _workers;
    private readonly bool _looks;
    private Action<int, int>? _body;
    private readonly Run[] _runs;
    private int _lastJob;
    private int _openJob; // the job that workers may join; 0 when there is none
    private int _active; // workers that have joined, or are about to find that they came too late
    private int _asleep;
    private int _callerSleeps;
    private Exception? _fault;
    private bool _stopping;

    /// <param name="threads">Threads that compute, the calling one included; at least 1.</param>
    internal ComputePool(int threads)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(threads, 1);
        _looks = threads <= Environment.ProcessorCount;
        _runs = new Run[threads];
        _workers = new Thread[threads - 1];
        for (int i = 0; i < _workers.Length; i++)
        {
            int worker = i + 1;
            _workers[i] = new Thread(() => Work(worker)) { IsBackground = true, Name = $"compute {worker}" };
            _workers[i].Start();
        }
    }

    /// <summary>Threads that compute, the calling one included.</summary>
    internal int Threads => _workers.Length + 1;

    /// <summary>Runs <paramref name="body"/> for every index below <paramref name="count"/>; returns when all are done.</summary>
    /// <param name="count">Indices.</param>
    /// <param name="body">Gets the index, and the number of the thread it runs on, below <see cref="Threads"/>.</param>
    internal void For(int count, Action<int, int> body)
    {
        if (count <= 1 || _workers.Length == 0 || !_busy.TryEnter())
        {
            for (int i = 0; i < count; i++) body(i, 0);
            return;
        }

        try
        {
            RunShared(count, body);
        }
        finally
        {
            _busy.Exit();
        }
    }

    public void Dispose()
    {
        Volatile.Write(ref _stopping, true);
        Wake();
        foreach (Thread worker in _workers) worker.Join();
    }

    // Each exchange below is also a fence: of two threads that each write one field and then read the other's, at least one sees the
    // other's write. So a job is never opened unseen by a worker that falls asleep, nor closed unseen by one that joins.
    private void RunShared(int count, Action<int, int> body)
    {
        _body = body;
        for (int i = 0; i < _runs.Length; i++) _runs[i] = new Run { Next = FirstOf(i, count), End = FirstOf(i + 1, count) };
        _lastJob = _lastJob == int.MaxValue ? 1 : _lastJob + 1;
        Interlocked.Exchange(ref _openJob, _lastJob);
        if (Volatile.Read(ref _asleep) > 0) Wake();

        Take(body, 0);

        Interlocked.Exchange(ref _openJob, 0);
        WaitForWorkers();
        _body = null;
        if (Interlocked.Exchange(ref _fault, null) is { } fault) ExceptionDispatchInfo.Throw(fault);
    }

    private void WaitForWorkers()
    {
        if (Volatile.Read(ref _active) == 0) return;

        for (long until = Stopwatch.GetTimestamp() + s_lookTicks; _looks && Stopwatch.GetTimestamp() < until;)
        {
            if (Volatile.Read(ref _active) == 0) return;
            Thread.SpinWait(8);
        }

        lock (_signal)
        {
            Interlocked.Exchange(ref _callerSleeps, 1);
            while (Volatile.Read(ref _active) > 0) Monitor.Wait(_signal);
            _callerSleeps = 0;
        }
    }

    private void Work(int worker)
    {
        int seen = 0;
        while (true)
        {
            int job = NextJob(seen);
            if (job == 0) return;

            Interlocked.Increment(ref _active);
            if (Volatile.Read(ref _openJob) == job) Take(_body!, worker);
            if (Interlocked.Decrement(ref _active) == 0 && Volatile.Read(ref _callerSleeps) == 1) Wake();
            seen = job;
        }
    }

    /// <summary>Waits for a job other than the last one; 0 when the pool stops.</summary>
    private int NextJob(int seen)
    {
        int job;
        for (long until = Stopwatch.GetTimestamp() + s_lookTicks; _looks && Stopwatch.GetTimestamp() < until;)
        {
            if ((job = Volatile.Read(ref _openJob)) != 0 && job != seen) return job;
            Thread.SpinWait(8);
        }

        lock (_signal)
        {
            Interlocked.Increment(ref _asleep);
            while ((job = Volatile.Read(ref _openJob)) == 0 || job == seen)
            {
                if (Volatile.Read(ref _stopping))
                {
                    job = 0;
                    break;
                }

                Monitor.Wait(_signal);
            }

            Interlocked.Decrement(ref _asleep);
            return job;
        }
    }

    private void Wake()
    {
        lock (_signal) Monitor.PulseAll(_signal);
    }

    // Where the run of a thread starts; the next one's start is its end.
    private int FirstOf(int worker, int count) => (int)((long)count * worker / _runs.Length);

    private void Take(Action<int, int> body, int worker)
    {
        try
        {
            for (int i = 0; i < _runs.Length; i++)
            {
                ref Run run = ref _runs[(worker + i) % _runs.Length];
                for (int index = Interlocked.Increment(ref run.Next) - 1; index < run.End; index = Interlocked.Increment(ref run.Next) - 1)
                    body(index, worker);
            }
        }
        catch (Exception e) // handed to the caller; a compute thread must not end the process
        {
            _fault = e;
            foreach (ref Run run in _runs.AsSpan()) Volatile.Write(ref run.Next, run.End);
        }
    }

    /// <summary>Neighbouring indices, and the next one nobody has claimed. On cache lines of its own: threads write it at every claim.</summary>
    [StructLayout(LayoutKind.Explicit, Size = 128)]
    private struct Run
    {
        [FieldOffset(64)]
        internal int Next;

        [FieldOffset(68)]
        internal int End;
    }
}
