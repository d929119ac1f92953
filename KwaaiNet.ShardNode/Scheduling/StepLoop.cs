using System.Collections.Concurrent;
using KwaaiNet.CandelEngine.Compute;
using KwaaiNet.CandelEngine.Sampling;
using KwaaiNet.Protocol.Wire;
using KwaaiNet.ShardNode.Forwarding;
using KwaaiNet.ShardNode.Frames;
using KwaaiNet.ShardNode.Loading;
using KwaaiNet.ShardNode.Prefixes;
using KwaaiNet.ShardNode.Sessions;
using KwaaiNet.ShardNode.Steps;
using KwaaiNet.ShardNode.Telemetry;

namespace KwaaiNet.ShardNode.Scheduling;

/// <summary>The one loop that owns loaded blocks, their sessions and caches: takes in what came, runs what is ready as one batch, hands results on.</summary>
/// <remarks>
/// A thread of its own, because it computes. Everything else talks to it through two queues, so no session state needs a lock
/// and nothing waits for the network here: streams have writers of their own.
/// </remarks>
internal sealed partial class StepLoop : IHopListener, IAsyncDisposable
{
    private readonly IBlockStack _stack;
    private readonly TimeProvider _time;
    private readonly ShardTelemetry _telemetry;
    private readonly ILogger _logger;
    private readonly IHopSource _hops;
    private readonly SessionTable _sessions;
    private readonly PrefixStore _prefixes;
    private readonly StepBatch _batch;
    private readonly StepDelivery _delivery;
    private readonly SpeedMeter _speed;
    private readonly ConcurrentQueue<Action> _commands = new();
    private readonly ConcurrentQueue<IncomingStep> _arrived = new();
    private readonly ManualResetEventSlim _wake = new(initialState: false);
    private readonly TaskCompletionSource<LoopEnd> _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly List<TaskCompletionSource> _drainWaiters = [];
    private readonly ITimer _sweeper;
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
        _prefixes = new PrefixStore(stack.KvPagePositions, options.Limits.TimeToLive, time);
        _sessions = new SessionTable(stack, _prefixes, model, options.Limits, _hops, time, telemetry, logger);
        _batch = new StepBatch(stack.Shape, new StepResultPool(), options.PrefillRows);
        _delivery = new StepDelivery(stack.Shape, sampler, _sessions, _batch, telemetry);
        Gauges = new LoopGauges
        {
            PrefillTokensPerSecond = options.MeasuredPrefill,
            DecodeTokensPerSecond = options.MeasuredDecode,
        };
        // Nothing is held yet: what is free is all there is, however the device came to grant it.
        KvTotalBytes = stack.KvFreeBytes;
        _speed = new SpeedMeter(Gauges);
        Publish();

        TimeSpan period = TimeSpan.FromTicks(Math.Clamp(options.Limits.TimeToLive.Ticks / 4, TimeSpan.TicksPerMillisecond * 250, TimeSpan.TicksPerSecond * 15));
        _sweeper = time.CreateTimer(_ => Post(_sessions.FailIdle), null, period, period);
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

    /// <summary>What the device said when it failed; null as long as it has not.</summary>
    public string? DeviceFailure { get; private set; }

    /// <summary>Opens a session; the answer goes to <paramref name="owner"/>.</summary>
    public void Open(OpenSession open, SessionOwner owner) => Post(() => _sessions.Open(open, owner));

    /// <summary>Closes a session; the answer goes to <paramref name="owner"/>.</summary>
    public void Close(CloseSession close, SessionOwner owner) => Post(() => _sessions.Close(close, owner));

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
        await _hops.DisposeAsync().ConfigureAwait(false);
    }

    private void Post(Action command)
    {
        _commands.Enqueue(command);
        _wake.Set();
        // The loop may have ended since the caller looked: an owner that asks must be answered. There are no sessions any more.
        if (_ended.Task.IsCompleted) RunCommands();
    }

    private void Run()
    {
        try
        {
            while (!_stopping && _end == LoopEnd.Stopped) Turn();
        }
        catch (Exception failure) when (failure is not OutOfMemoryException)
        {
            // Nothing but a fault of our own gets here. The sessions are told, the blocks are loaded anew, the process lives.
            _end = LoopEnd.Fault;
            LogLoopFailed(failure);
        }

        RunCommands();
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
        _ended.SetResult(_end);
        RunCommands();
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

    private void Turn()
    {
        // Reset before looking: whatever arrives after the look sets it again.
        _wake.Reset();
        RunCommands();
        TakeSteps();
        bool ran = _batch.Gather();
        if (ran) RunBatch();
        Publish();
        CompleteDrains();
        if (!ran && !_stopping) _wake.Wait();
    }

    private void RunCommands()
    {
        while (_commands.TryDequeue(out Action? command)) command();
    }

    // What is there now and no more: refused frames make room for others at once, and a peer that floods must not keep the batch from running.
    private void TakeSteps()
    {
        for (int left = _arrived.Count; left > 0 && _arrived.TryDequeue(out IncomingStep step); left--) Take(step);
    }

    private void Take(IncomingStep step)
    {
        ShardSession? session = _sessions.Find(step.Frame.SessionId);
        if (session is null)
        {
            Refuse(step, new Refusal(FailureCode.UnknownSession, "No such session is open here."));
            return;
        }

        // Refused without a word to the owner: a stranger must not be able to end a session.
        if (Array.IndexOf(session.StepSources, step.Stream!.NodeId) < 0)
        {
            Refuse(step, new Refusal(FailureCode.NotAllowed, "Steps of this session are not accepted from this node."));
            return;
        }

        session.LastActive = _time.GetTimestamp();
        if (StepRules.IsRepeat(step.Frame, session))
        {
            step.Stream.FreeSlots(step.Frame);
            _delivery.Repeat(session);
            return;
        }

        if (StepRules.IsWaiting(step.Frame, session))
        {
            step.Stream.FreeSlots(step.Frame);
            return;
        }

        if (StepRules.Check(step.Frame, session, _stack.Shape) is { } refusal)
        {
            Refuse(step, refusal);
            _sessions.Fail(session, refusal);
            return;
        }

        if (step.Frame.KvLength < session.TakenPositions && !_sessions.TryBeginAt(session, (int)step.Frame.KvLength))
        {
            Refusal full = new(FailureCode.KvExhausted, "There is no KV cache for the positions that were to be found here.");
            Refuse(step, full);
            _sessions.Fail(session, full);
            return;
        }

        if (session.TakenSteps++ == 0) _telemetry.KvReused.Add(step.Frame.KvLength);
        session.TakenPositions += step.Frame.Rows;
        session.Waiting.Enqueue(step);
        _sessions.WaitingSteps++;
        _batch.Enqueue(session);
    }

    private void RunBatch()
    {
        long start = _time.GetTimestamp();
        bool ran = TryRun();
        TimeSpan elapsed = _time.GetElapsedTime(start);
        if (ran)
        {
            _speed.Add(_batch, elapsed);
            _telemetry.BatchSteps.Record(_batch.Count);
            _telemetry.BatchRows.Record(_batch.Rows);
            _telemetry.Rows.Add(_batch.Rows);
            Gauges.Rows += _batch.Rows;
            _telemetry.StepDuration.Record(elapsed.TotalSeconds);
        }

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

    private bool TryRun()
    {
        try
        {
            _stack.Run(_batch.Steps);
            return true;
        }
        catch (ComputeException failure)
        {
            LoseDevice(failure);
        }
        catch (Exception refused) when (refused is not OutOfMemoryException)
        {
            // Nothing ran: one step did not fit, and the others must not suffer for it.
            LogBatchRefused(refused);
            RunOneByOne();
        }

        return false;
    }

    private void RunOneByOne()
    {
        for (int i = 0; i < _batch.Count && _end == LoopEnd.Stopped; i++)
        {
            try
            {
                _stack.Run(_batch.Steps.Slice(i, 1));
            }
            catch (ComputeException failure)
            {
                LoseDevice(failure);
            }
            catch (Exception refused) when (refused is not OutOfMemoryException)
            {
                FailureCode code = refused is KvExhaustedException ? FailureCode.KvExhausted : FailureCode.ComputeFailed;
                _sessions.Fail(_batch[i].Session, new Refusal(code, refused.Message));
            }
        }
    }

    private void LoseDevice(ComputeException failure)
    {
        LogDeviceLost(failure);
        DeviceFailure = failure.Message;
        _end = LoopEnd.DeviceLost;
    }

    private void Refuse(IncomingStep step, Refusal refusal)
    {
        _telemetry.RefusedSteps.Add(1, new KeyValuePair<string, object?>(ShardTelemetry.Attributes.Failure, refusal.Code.ToString()));
        if (step.Stream is null) return;

        LogStepRefused(step.Stream.NodeId, step.Frame.Step, refusal.Code, refusal.Message);
        step.Stream.Refuse(step.Frame, refusal);
        step.Stream.FreeSlots(step.Frame);
    }

    private void RefuseArrived()
    {
        while (_arrived.TryDequeue(out IncomingStep step))
        {
            Refuse(step, new Refusal(FailureCode.UnknownSession, "These blocks are no longer served."));
        }
    }

    private void Publish()
    {
        Gauges.Sessions = _sessions.Count;
        Gauges.WaitingSteps = _sessions.WaitingSteps;
        // What can be forgotten at once is free to whoever needs it.
        Gauges.KvCachedBytes = _prefixes.UnusedBytes;
        Gauges.KvFreeBytes = _stack.KvFreeBytes + _prefixes.UnusedBytes;
        Gauges.KvUsedBytes = KvTotalBytes - Gauges.KvFreeBytes;
    }

    private void CompleteDrains()
    {
        if (_drainWaiters.Count == 0 || _sessions.Count > 0) return;

        foreach (TaskCompletionSource waiter in _drainWaiters) waiter.TrySetResult();
        _drainWaiters.Clear();
    }

    [LoggerMessage(LogLevel.Error, "The device failed; all sessions of these blocks end.")]
    private partial void LogDeviceLost(Exception failure);

    [LoggerMessage(LogLevel.Debug, "The blocks could not be freed.")]
    private partial void LogNotFreed(Exception failure);

    [LoggerMessage(LogLevel.Critical, "The step loop failed.")]
    private partial void LogLoopFailed(Exception failure);

    [LoggerMessage(LogLevel.Warning, "A batch was refused; its steps run one by one.")]
    private partial void LogBatchRefused(Exception refused);

    [LoggerMessage(LogLevel.Warning, "The result of a step of session {Session} could not be used; the session ends.")]
    private partial void LogNotDelivered(Exception failure, SessionId session);

    [LoggerMessage(LogLevel.Debug, "Step {Step} from {Source} was refused: {Code}, {Reason}")]
    private partial void LogStepRefused(string source, ulong step, FailureCode code, string reason);
}
