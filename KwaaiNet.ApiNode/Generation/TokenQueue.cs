using System.Threading.Tasks.Sources;

namespace KwaaiNet.ApiNode.Generation;

/// <summary>Tokens on their way from the thread that reads a shard's stream to the one reader of a session. Once warm nothing is allocated for a token.</summary>
/// <remarks>
/// The reader goes on, within <see cref="TryAdd"/>, on the thread that brings the token: between the wire and the answer's text no thread
/// has to wake up. Any end of the wait but a token goes to the pool. One timer serves all waits: a wait that ended leaves it running,
/// and when it fires too early for the one that waits then it is set again.
/// </remarks>
internal sealed class TokenQueue : IValueTaskSource<bool>, IDisposable
{
    // The resolution of the system's timers.
    private static readonly TimeSpan s_tick = TimeSpan.FromMilliseconds(1);

    private readonly Lock _gate = new();
    private readonly Queue<ArrivedToken> _tokens = new();
    private readonly TimeProvider _time;
    private readonly CancellationToken _cancelled;
    private readonly CancellationTokenRegistration _registration;
    private readonly int _capacity;
    private ManualResetValueTaskSourceCore<bool> _wait;
    private ITimer? _timer;
    private TimeSpan _patience;
    private long _since;
    private long _timerSet;
    private TimeSpan _timerFor = Timeout.InfiniteTimeSpan;
    private bool _isWaiting;
    private bool _isComplete;

    /// <summary>An empty queue.</summary>
    /// <param name="capacity">Tokens it holds at most.</param>
    /// <param name="time">The clock of <see cref="WaitAsync"/>.</param>
    /// <param name="cancelled">Ends every wait.</param>
    public TokenQueue(int capacity, TimeProvider time, CancellationToken cancelled)
    {
        _capacity = capacity;
        _time = time;
        _cancelled = cancelled;
        _registration = cancelled.UnsafeRegister(static queue => ((TokenQueue)queue!).OnCancelled(), this);
    }

    /// <summary>Adds a token; false: the queue is full or complete.</summary>
    public bool TryAdd(in ArrivedToken token)
    {
        lock (_gate)
        {
            if (_isComplete || _tokens.Count >= _capacity) return false;
            _tokens.Enqueue(token);
            if (!_isWaiting) return true;
            _isWaiting = false;
            _wait.RunContinuationsAsynchronously = false;
        }

        _wait.SetResult(true);
        return true;
    }

    /// <summary>No token comes after those that are there.</summary>
    public void Complete()
    {
        lock (_gate)
        {
            _isComplete = true;
            if (!TryEndWait()) return;
        }

        _wait.SetResult(false);
    }

    /// <summary>The next token, if it is there.</summary>
    public bool TryTake(out ArrivedToken token)
    {
        lock (_gate) return _tokens.TryDequeue(out token);
    }

    /// <summary>Waits until a token is there: true; or none will come: false. One caller at a time.</summary>
    /// <exception cref="TimeoutException">(From the task) nothing came for so long.</exception>
    /// <exception cref="OperationCanceledException">(From the task) cancelled.</exception>
    public ValueTask<bool> WaitAsync(TimeSpan patience)
    {
        lock (_gate)
        {
            if (_cancelled.IsCancellationRequested) return ValueTask.FromCanceled<bool>(_cancelled);
            if (_tokens.Count > 0) return ValueTask.FromResult(true);
            if (_isComplete) return ValueTask.FromResult(false);
            _wait.Reset();
            _isWaiting = true;
            _patience = patience;
            _since = _time.GetTimestamp();
            TimeSpan left = _timerFor == Timeout.InfiniteTimeSpan ? Timeout.InfiniteTimeSpan : _timerFor - _time.GetElapsedTime(_timerSet, _since);
            if (left == Timeout.InfiniteTimeSpan || left > patience) SetTimer(patience);
            return new ValueTask<bool>(this, _wait.Version);
        }
    }

    /// <summary>Ends a wait; nothing is added any more.</summary>
    public void Dispose()
    {
        Complete();
        _registration.Unregister();
        _timer?.Dispose();
    }

    bool IValueTaskSource<bool>.GetResult(short token) => _wait.GetResult(token);

    ValueTaskSourceStatus IValueTaskSource<bool>.GetStatus(short token) => _wait.GetStatus(token);

    void IValueTaskSource<bool>.OnCompleted(Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
        _wait.OnCompleted(continuation, state, token, flags);

    // Under the lock.
    private bool TryEndWait()
    {
        if (!_isWaiting) return false;
        _isWaiting = false;
        _wait.RunContinuationsAsynchronously = true;
        return true;
    }

    // Under the lock.
    private void SetTimer(TimeSpan due)
    {
        _timerSet = _time.GetTimestamp();
        _timerFor = due < s_tick ? s_tick : due;
        _timer ??= _time.CreateTimer(static queue => ((TokenQueue)queue!).OnTimer(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        _timer.Change(_timerFor, Timeout.InfiniteTimeSpan);
    }

    private void OnTimer()
    {
        lock (_gate)
        {
            _timerFor = Timeout.InfiniteTimeSpan;
            if (!_isWaiting) return;
            TimeSpan left = _patience - _time.GetElapsedTime(_since);
            if (left > TimeSpan.Zero)
            {
                SetTimer(left);
                return;
            }

            TryEndWait();
        }

        _wait.SetException(new TimeoutException());
    }

    private void OnCancelled()
    {
        lock (_gate)
        {
            if (!TryEndWait()) return;
        }

        _wait.SetException(new OperationCanceledException(_cancelled));
    }
}
