using System.Runtime.ExceptionServices;

namespace KwaaiNet.CandelEngine.Compute.Cpu;

/// <summary>A few threads that run the indices of one job at a time, and sleep between jobs.</summary>
/// <remarks>
/// Who runs which index is left to chance, so the work of an index must not depend on it. The calling thread takes part; when the
/// pool is already busy with another stack's job, the caller runs its job alone rather than wait. Nothing is allocated per job.
/// </remarks>
internal sealed class ComputePool : IDisposable
{
    private readonly Lock _busy = new();
    private readonly object _signal = new();
    private readonly Thread[] _workers;
    private Action<int, int>? _body;
    private int _count;
    private int _next;
    private int _active;
    private long _job;
    private Exception? _fault;
    private bool _stopping;

    /// <param name="threads">Threads that compute, the calling one included; at least 1.</param>
    internal ComputePool(int threads)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(threads, 1);
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
        lock (_signal)
        {
            _stopping = true;
            Monitor.PulseAll(_signal);
        }

        foreach (Thread worker in _workers) worker.Join();
    }

    private void RunShared(int count, Action<int, int> body)
    {
        lock (_signal)
        {
            _body = body;
            _count = count;
            _next = 0;
            _job++;
            Monitor.PulseAll(_signal);
        }

        Take(body, count, 0);

        lock (_signal)
        {
            // A worker that has not woken yet finds no body and goes back to sleep; one at work is waited for.
            _body = null;
            while (_active > 0) Monitor.Wait(_signal);
        }

        if (Interlocked.Exchange(ref _fault, null) is { } fault) ExceptionDispatchInfo.Throw(fault);
    }

    private void Work(int worker)
    {
        long seen = 0;
        while (true)
        {
            Action<int, int> body;
            int count;
            lock (_signal)
            {
                while (!_stopping && (_body is null || _job == seen)) Monitor.Wait(_signal);
                if (_stopping) return;

                seen = _job;
                body = _body!;
                count = _count;
                _active++;
            }

            Take(body, count, worker);

            lock (_signal)
            {
                if (--_active == 0) Monitor.PulseAll(_signal);
            }
        }
    }

    private void Take(Action<int, int> body, int count, int worker)
    {
        try
        {
            for (int index = Interlocked.Increment(ref _next) - 1; index < count; index = Interlocked.Increment(ref _next) - 1)
                body(index, worker);
        }
        catch (Exception e) // handed to the caller; a compute thread must not end the process
        {
            _fault = e;
            Volatile.Write(ref _next, count);
        }
    }
}
