using System.Collections.Concurrent;
using KwaaiNet.CandelEngine.Compute;
using KwaaiNet.CandelEngine.Sampling;
using KwaaiNet.Protocol.Wire;
using KwaaiNet.ShardNode.Forwarding;
using KwaaiNet.ShardNode.Frames;
using KwaaiNet.ShardNode.Kv;
using KwaaiNet.ShardNode.Loading;
using KwaaiNet.ShardNode.Prefixes;
using KwaaiNet.ShardNode.Sessions;
using KwaaiNet.ShardNode.Telemetry;
using KwaaiNet.ShardNode.Turns;

namespace KwaaiNet.ShardNode.Scheduling;

/// <summary>The one loop that owns loaded blocks, their sessions and caches: takes in what came, runs what is ready as one batch, hands results on.</summary>
/// <remarks>
/// A thread of its own, because it computes. Everything else talks to it through two queues, so no session state needs a lock
/// and nothing waits for the network here: streams have writers of their own.
/// </remarks>
internal sealed partial class StepLoop : IHopListener, IAsyncDisposable
{
    // Commands a turn carries out: a peer that sends no end of them must not keep the batch from running.
    private const int MaxCommandsPerTurn = 64;

    // Rows of a prompt before its owner's next one goes on.
    private const int PromptTurnRows = 64;

    private readonly IBlockStack _stack;
    private readonly TimeProvider _time;
    private readonly ShardTelemetry _telemetry;
    private readonly ILogger _logger;
    private readonly IHopSource _hops;
    private readonly IComputeTurns _turns;
    private readonly SessionTable _sessions;
    private readonly PrefixStore _prefixes;
    private readonly ReadyLine _line;
    private readonly StepBatch _batch;
    private readonly BatchRunner _runner;
    private readonly TurnCost _cost;
    private readonly StepGate _gate;
    private readonly LoopWatch _watch;
    private readonly KvAdmission _kv;
    private readonly StepDelivery _delivery;
    private readonly StepIntake _intake;
    private readonly SpeedMeter _speed;
    private readonly ConcurrentQueue<Action> _commands = new();
    private readonly ConcurrentQueue<IncomingStep> _arrived = new();
    private readonly ManualResetEventSlim _wake = new(initialState: false);
    private readonly TaskCompletionSource<LoopEnd> _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly List<TaskCompletionSource> _drainWaiters = [];
    private readonly ITimer _sweeper;
    private readonly ITimer _looks;
    private readonly ITimer _gateOpens;
    private volatile bool _stopping;
    private LoopEnd _end;

    /// <summary>Starts the loop on a loaded stack, which it owns from here on.</summary>
    public StepLoop(
        IBlockStack stack,
        OpenedModel model,
        StepLoopOptions options,
        ISampler sampler,
        Func<IHopListener, IHopSource> hops,
        TimeProvider time,
        ShardTelemetry telemetry,
        ILogger logger)
    {
        _stack = stack;
        _time = time;
        _telemetry = telemetry;
        _logger = logger;
        _hops = hops(this);
        _turns = options.Turns;
        _prefixes = new PrefixStore(stack.KvPagePositions, options.Limits.TimeToLive, time);
        _kv = new KvAdmission(stack, _prefixes);
        _sessions = new SessionTable(stack, _kv, _prefixes, model, options.Limits, _hops, time, telemetry, logger);
        _line = new ReadyLine(Math.Min(PromptTurnRows, options.PrefillRows));
        _cost = new TurnCost(options.MaxSteps, options.MeasuredDecode, options.MeasuredPrefill);
        TimeSpan target = options.IterationTarget * (stack.Options.EndBlock - stack.Options.FirstBlock) / stack.Shape.BlockCount;
        _gate = new StepGate(_sessions, _cost, time);
        _batch = new StepBatch(stack.Shape, new StepResultPool(), _line, _gate, new RowBudget(target, options.PrefillRows, _cost), options.MaxSteps, time);
        _runner = new BatchRunner(stack, _batch, _sessions, logger);
        _delivery = new StepDelivery(stack.Shape, sampler, _sessions, _line, telemetry);
        _intake = new StepIntake(stack.Shape, _sessions, _line, _delivery, time, telemetry, logger);
        _watch = new LoopWatch(options.Patience);
        Gauges = new LoopGauges
        {
            PrefillTokensPerSecond = options.MeasuredPrefill,
            DecodeTokensPerSecond = options.MeasuredDecode,
        };
        KvTotalBytes = _kv.TotalBytes;
        _speed = new SpeedMeter(Gauges);
        Publish();

        TimeSpan period = TimeSpan.FromTicks(Math.Clamp(options.Limits.TimeToLive.Ticks / 4, TimeSpan.TicksPerMillisecond * 250, TimeSpan.TicksPerSecond * 15));
        _sweeper = time.CreateTimer(_ => Post(_sessions.FailIdle), null, period, period);
        _gateOpens = time.CreateTimer(_ => _wake.Set(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        _looks = time.CreateTimer(_ => Look(), null, LoopWatch.Period, LoopWatch.Period);
        new Thread(Run) { IsBackground = true, Name = "kwaainet-steps" }.Start();
    }

    /// <summary>Numbers for readers outside.</summary>
    public LoopGauges Gauges { get; }

    /// <summary>Bytes of the weights on the device.</summary>
    public long WeightBytes => _stack.WeightBytes;

    /// <summary>Bytes that one position takes in the KV cache of one block.</summary>
    public long KvBytesPerBlockPosition => _stack.KvBytesPerBlockPosition;

    /// <summary>Bytes of the KV budget over these blocks, used or free: what the device grants, which may be less than what was configured.</summary>
    public long KvTotalBytes { get; }

    /// <summary>Done when the loop has ended.</summary>
    public Task<LoopEnd> Ended => _ended.Task;

    /// <summary>Whether a turn has been running for much longer than turns take: the device hangs, as far as one can tell.</summary>
    public bool IsStuck => _watch.IsStuck;

    /// <summary>Raised when <see cref="IsStuck"/> has changed, on a timer's thread.</summary>
    public event Action? StuckChanged;

    /// <summary>What the device said when it failed; null as long as it has not.</summary>
    public string? DeviceFailure => _runner.DeviceFailure;

    /// <summary>Opens a session; the answer goes to <paramref name="owner"/>, whose command is freed then.</summary>
    public void Open(OpenSession open, SessionOwner owner) => Post(() =>
    {
        _sessions.Open(open, owner);
        owner.FreeCommand(open.CalculateSize());
    });

    /// <summary>Closes a session; the answer goes to <paramref name="owner"/>, whose command is freed then.</summary>
    public void Close(CloseSession close, SessionOwner owner) => Post(() =>
    {
        _sessions.Close(close, owner);
        owner.FreeCommand(close.CalculateSize());
    });

    /// <summary>Closes all sessions of a stream that has ended.</summary>
    public void CloseAllOf(SessionOwner owner) => Post(() => _sessions.CloseAllOf(owner));

    /// <summary>Hands a step in; its stream's slot is freed when it is done.</summary>
    public void Arrive(IncomingStep step)
    {
        _arrived.Enqueue(step);
        _wake.Set();
        // The loop may have ended between the caller's look and now: a slot must not stay taken.
        if (_ended.Task.IsCompleted) RefuseArrived();
    }

    /// <summary>Takes no new sessions from now on; done when the last one is closed.</summary>
    public Task DrainAsync()
    {
        TaskCompletionSource drained = new(TaskCreationOptions.RunContinuationsAsynchronously);
        Post(() =>
        {
            _sessions.IsDraining = true;
            _drainWaiters.Add(drained);
        });
        return Task.WhenAny(drained.Task, _ended.Task);
    }

    /// <inheritdoc/>
    public void OnLost(IHop hop, string reason) => Post(() => _sessions.FailAllVia(hop, reason));

    /// <inheritdoc/>
    public void OnRefused(IHop hop, StepRefused refused) => Post(() => _sessions.FailRefused(hop, refused));

    /// <inheritdoc/>
    public void OnLeft(IHop hop, StepRefused answer) => Post(() => _sessions.OnLeft(hop, answer));

    /// <inheritdoc/>
    public void OnRoom() => _wake.Set();

    /// <summary>Ends open sessions as DRAINING, ends the thread, frees the stack.</summary>
    public async ValueTask DisposeAsync()
    {
        _stopping = true;
        _wake.Set();
        await _ended.Task.ConfigureAwait(false);
        await _sweeper.DisposeAsync().ConfigureAwait(false);
        await _looks.DisposeAsync().ConfigureAwait(false);
        await _gateOpens.DisposeAsync().ConfigureAwait(false);
        await _hops.DisposeAsync().ConfigureAwait(false);
    }

    private void Post(Action command)
    {
        _commands.Enqueue(command);
        _wake.Set();
        // The loop may have ended since the caller looked: an owner that asks must be answered. There are no sessions any more.
        if (_ended.Task.IsCompleted) RunCommands(int.MaxValue);
    }

    private void Run()
    {
        try
        {
            while (!_stopping && _end == LoopEnd.Stopped)
            {
                bool mayRest;
                _watch.Begin();
                try
                {
                    mayRest = Turn();
                }
                finally
                {
                    _watch.End();
                }

                if (mayRest && !_stopping) _wake.Wait();
            }
        }
        catch (Exception failure) when (failure is not OutOfMemoryException)
        {
            // Nothing but a fault of our own gets here. The sessions are told, the blocks are loaded anew, the process lives.
            _end = LoopEnd.Fault;
            LogLoopFailed(failure);
        }

        RunCommands(int.MaxValue);
        _sessions.IsDraining = true;
        _sessions.FailAll(_end switch
        {
            LoopEnd.DeviceLost => new Refusal(FailureCode.ComputeFailed, "The device failed; the node is leaving."),
            LoopEnd.Fault => new Refusal(FailureCode.ComputeFailed, "The step loop failed; the blocks are being loaded again."),
            _ => new Refusal(FailureCode.Draining, "The node has stopped serving these blocks."),
        });
        CompleteDrains();
        _prefixes.Clear();
        Publish();
        FreeStack();
        _turns.Dispose();
        _ended.SetResult(_end);
        RunCommands(int.MaxValue);
        RefuseArrived();
    }

    // A device that has failed may refuse to take its memory back; the process that ends gives it.
    private void FreeStack()
    {
        try
        {
            _stack.Dispose();
        }
        catch (Exception failure) when (_end != LoopEnd.Stopped && failure is not OutOfMemoryException)
        {
            LogNotFreed(failure);
        }
    }

    // One turn; whether there was nothing to compute and nothing is left to do.
    private bool Turn()
    {
        // Reset before looking: whatever arrives after the look sets it again.
        _wake.Reset();
        RunCommands(MaxCommandsPerTurn);
        TakeSteps();
        bool gathered = _batch.MayRun() && RunTurn();
        Publish();
        CompleteDrains();
        if (gathered || !_commands.IsEmpty) return false;

        if (_gate.Wait > TimeSpan.Zero) _gateOpens.Change(_gate.Wait, Timeout.InfiniteTimeSpan);
        return true;
    }

    // Batches are made when it is this loop's turn: what has arrived while others computed runs with the rest.
    private bool RunTurn()
    {
        bool gathered;
        bool ran = false;
        TimeSpan elapsed = TimeSpan.Zero;
        _turns.Enter();
        try
        {
            TakeSteps();
            gathered = _batch.Gather();
            if (gathered) ReservePages();
            if (_batch.Count > 0) ran = TryRunBatch(out elapsed);
        }
        finally
        {
            _turns.Leave();
        }

        if (ran) Count(elapsed);
        DeliverBatch();
        return gathered;
    }

    private void RunCommands(int most)
    {
        for (; most > 0 && _commands.TryDequeue(out Action? command); most--) command();
    }

    private void Look()
    {
        if (!_watch.Look()) return;

        if (_watch.IsStuck) LogStuck();
        else LogUnstuck();
        StuckChanged?.Invoke();
    }

    // What is there now and no more: refused frames make room for others at once, and a peer that floods must not keep the batch from running.
    private void TakeSteps()
    {
        for (int left = _arrived.Count; left > 0 && _arrived.TryDequeue(out IncomingStep step); left--) _intake.Take(step);
    }

    // Before anything runs. Whoever is preempted leaves the batch, and the turn of the others goes on with the pages it held.
    private void ReservePages()
    {
        for (int i = 0; i < _batch.Count; i++)
        {
            ShardSession session = _batch[i].Session;
            while (!session.IsClosed && !_kv.TryReserve(session.Cache, session.Cache.Length + _batch[i].Rows)) _sessions.PreemptFor(session);
        }

        _batch.DropClosed();
    }

    private bool TryRunBatch(out TimeSpan elapsed)
    {
        _watch.Expect(_cost.Turn(_batch.DecodeSteps, _batch.Rows - _batch.DecodeSteps));
        long start = _time.GetTimestamp();
        bool ran = _runner.TryRun();
        elapsed = _time.GetElapsedTime(start);
        if (_runner.DeviceFailure is not null) _end = LoopEnd.DeviceLost;
        return ran;
    }

    private void Count(TimeSpan elapsed)
    {
        int promptRows = _batch.Rows - _batch.DecodeSteps;
        _cost.Add(_batch.DecodeSteps, promptRows, elapsed);
        _gate.Ran(_batch.DecodeSteps, promptRows);
        _speed.Add(_batch, elapsed);
        _telemetry.BatchSteps.Record(_batch.Count);
        _telemetry.BatchRows.Record(_batch.Rows);
        _telemetry.Rows.Add(_batch.Rows);
        Gauges.Rows += _batch.Rows;
        _telemetry.StepDuration.Record(elapsed.TotalSeconds);
    }

    private void DeliverBatch()
    {
        long now = _time.GetTimestamp();
        for (int i = 0; i < _batch.Count; i++)
        {
            if (_batch[i].Session.IsClosed || _end != LoopEnd.Stopped) continue;

            // Work is life, not only what arrives: a whole model's ring, or a long prompt, hears nothing from outside for as long as it runs.
            _batch[i].Session.LastActive = now;
            Deliver(_batch[i]);
            _sessions.KeepPages(_batch[i].Session);
        }

        _batch.Clear();
    }

    // What comes out of the blocks follows from what a peer sent in: numbers nobody can draw from end their session, never the others'.
    private void Deliver(BatchSlot slot)
    {
        try
        {
            _delivery.Deliver(slot);
        }
        catch (Exception failure) when (failure is not OutOfMemoryException)
        {
            LogNotDelivered(failure, slot.Session.Id);
            _sessions.Fail(slot.Session, new Refusal(FailureCode.ComputeFailed, "The result of a step could not be used."));
        }
    }

    private void RefuseArrived()
    {
        while (_arrived.TryDequeue(out IncomingStep step))
        {
            _intake.Refuse(step, new Refusal(FailureCode.UnknownSession, "These blocks are no longer served."));
        }
    }

    private void Publish()
    {
        Gauges.Sessions = _sessions.Count;
        Gauges.WaitingSteps = _sessions.WaitingSteps;
        Gauges.KvCachedBytes = _prefixes.UnusedBytes;
        Gauges.KvUsedBytes = _kv.UsedBytes;
        Gauges.KvFreeBytes = _kv.FreeBytes(_sessions.ExpectedKvBytes);
    }

    private void CompleteDrains()
    {
        if (_drainWaiters.Count == 0 || _sessions.Count > 0) return;

        foreach (TaskCompletionSource waiter in _drainWaiters) waiter.TrySetResult();
        _drainWaiters.Clear();
    }

    [LoggerMessage(LogLevel.Error, "The device has not finished a batch for much longer than batches take; this node counts as hung until it has.")]
    private partial void LogStuck();

    [LoggerMessage(LogLevel.Warning, "The device goes on.")]
    private partial void LogUnstuck();

    [LoggerMessage(LogLevel.Debug, "The blocks could not be freed.")]
    private partial void LogNotFreed(Exception failure);

    [LoggerMessage(LogLevel.Critical, "The step loop failed.")]
    private partial void LogLoopFailed(Exception failure);

    [LoggerMessage(LogLevel.Warning, "The result of a step of session {Session} could not be used; the session ends.")]
    private partial void LogNotDelivered(Exception failure, SessionId session);
}
