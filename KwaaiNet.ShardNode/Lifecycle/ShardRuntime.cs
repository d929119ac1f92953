using KwaaiNet.CandelEngine.Compute;
using KwaaiNet.CandelEngine.Sampling.Chain;
using KwaaiNet.Protocol.Blocks;
using KwaaiNet.Protocol.Discovery;
using KwaaiNet.Protocol.Links;
using KwaaiNet.Protocol.Nodes;
using KwaaiNet.Protocol.Transport;
using KwaaiNet.Protocol.Wire;
using KwaaiNet.ServiceDefaults.Hosting;
using KwaaiNet.ShardNode.Announcing;
using KwaaiNet.ShardNode.Configuration;
using KwaaiNet.ShardNode.Forwarding;
using KwaaiNet.ShardNode.Loading;
using KwaaiNet.ShardNode.Placement;
using KwaaiNet.ShardNode.Scheduling;
using KwaaiNet.ShardNode.Serving;
using KwaaiNet.ShardNode.Sessions;
using KwaaiNet.ShardNode.Telemetry;
using KwaaiNet.ShardNode.Turns;
using Microsoft.Extensions.Options;

namespace KwaaiNet.ShardNode.Lifecycle;

/// <summary>The life of a shard: open the model, choose blocks, load, be announced, serve; leave for a gap, drain at the end. A node whose device fails takes itself out and ends.</summary>
internal sealed partial class ShardRuntime(
    IBlockSource source,
    ShardServing serving,
    ShardAnnouncer announcer,
    NodeIdentity identity,
    NodeLinks links,
    IOptions<ShardOptions> shardOptions,
    IOptions<NodeOptions> nodeOptions,
    TimeProvider time,
    ShardTelemetry telemetry,
    IHostApplicationLifetime lifetime,
    LastPlacement lastPlacement,
    ILoggerFactory loggers,
    ILogger<ShardRuntime> logger,
    INodeDirectory? directory = null) : BackgroundService
{
    // Readings a second apart: a node that is restarted is back by then, and moving costs a load.
    private const int GapPatience = 3;

    private static readonly TimeSpan s_announceRetry = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan s_lastAnnouncement = TimeSpan.FromSeconds(2);

    // By which the shards of a machine find one another.
    private const string TurnsName = "kwaainet-compute";

    // Several shards' turns, each as long as the row budget lets it become.
    private static readonly TimeSpan s_turnPatience = TimeSpan.FromSeconds(1);

    private readonly ShardOptions _options = shardOptions.Value;

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        telemetry.Observe(() => serving.Held.Loop?.Gauges);
        // Not only the service's own token: that one comes after the web server has stopped, and the web server waits for our streams.
        using CancellationTokenSource stop = CancellationTokenSource.CreateLinkedTokenSource(stoppingToken, lifetime.ApplicationStopping);
        try
        {
            // A host that cannot bind its ports says so, and not that it was stopped while it read a model.
            await StartedAsync(stop.Token).ConfigureAwait(false);
            OpenedModel model = await source.OpenAsync(stop.Token).ConfigureAwait(false);
            serving.Model = model;
            LogModel(model.Model, model.Shape.BlockCount, model.Backend, model.Device);
            SelfPlacement? placement = CreatePlacement(model, out BlockRange given);
            await using (placement)
            {
                if (placement is not null) await placement.StartAsync(stop.Token).ConfigureAwait(false);
                while (true) await ServeOnceAsync(model, placement, given, stop.Token).ConfigureAwait(false);
            }
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            // Stopping: what is served is drained below.
        }
        finally
        {
            await LeaveAsync().ConfigureAwait(false);
            serving.EndStreams();
        }
    }

    private async Task StartedAsync(CancellationToken stop)
    {
        TaskCompletionSource started = new(TaskCreationOptions.RunContinuationsAsynchronously);
        using CancellationTokenRegistration _ = lifetime.ApplicationStarted.Register(started.SetResult);
        await started.Task.WaitAsync(stop).ConfigureAwait(false);
    }

    private SelfPlacement? CreatePlacement(OpenedModel model, out BlockRange given)
    {
        int blockCount = model.Shape.BlockCount;
        given = new BlockRange(0, blockCount);
        if (_options.Blocks is { } blocks)
        {
            _ = BlockRange.TryParse(blocks, out given);
            if (given.End > blockCount) throw new InvalidOperationException($"Shard:Blocks is {given}, and {model.Model} has blocks 0-{blockCount - 1}.");
        }

        if (_options.Blocks is not null || directory is null)
        {
            if (source.MemoryFor(given) is { Fits: false } memory) throw NoRoom(model, given, memory, "Serve fewer (Shard:Blocks)");
            return null;
        }

        PlacementRules rules = new(blockCount, _options.ExpectedShards, _options.MaxBlocks, Fits);
        if (!Enumerable.Range(0, blockCount).Any(block => Fits(new BlockRange(block, block + 1))))
        {
            // The middle of a model: the leanest a block can come.
            BlockRange one = new(blockCount / 2, (blockCount / 2) + 1);
            throw NoRoom(model, one, source.MemoryFor(one)!.Value, "Free some of it");
        }

        NodeDirectoryView view = new(directory, new NodeQuery(nodeOptions.Value.Network, model.Model), time, loggers.CreateLogger<NodeDirectoryView>());
        DirectoryBoard board = new(view, announcer, serving, identity.NodeId, time, logger);
        return new SelfPlacement(model, view, board, new Placer(identity.NodeId, rules, board), rules, lastPlacement, time);

        bool Fits(BlockRange range) => source.MemoryFor(range) is not { Fits: false };
    }

    private InsufficientMemoryException NoRoom(OpenedModel model, BlockRange range, BlockMemory memory, string remedy) => new(
        $"Blocks {range} of {model.Model} need {memory.NeededBytes:N0} bytes, with {_options.KvBudgetMegabytes} MiB for keys and values where the device has memory of its own, "
        + $"and {model.Device} has {memory.AvailableBytes:N0}. {remedy}, lower Shard:KvBudgetMegabytes, or take another device (Shard:Device, Shard:Backend=cpu).");

    private async Task ServeOnceAsync(OpenedModel model, SelfPlacement? placement, BlockRange given, CancellationToken stop)
    {
        (PlacementDecision decision, bool isClaimed) = placement is null
            ? (new PlacementDecision(given, IsRedundant: true), false)
            : await placement.ChooseAsync(stop).ConfigureAwait(false);
        if (!isClaimed)
        {
            if (placement is not null) LogRemembered(decision.Range);
            serving.Set(new HeldBlocks(ServingState.Joining, decision.Range, null));
            // Not waited for: a shard that was told its blocks, or remembers them, loads them also while discovery is away.
            _ = TryAnnounceAsync(stop);
        }

        LogChosen(decision.Range, decision.IsRedundant && placement is not null);
        StepLoop? loop = isClaimed
            ? await LoadUnlessLostAsync(model, decision, placement!, stop).ConfigureAwait(false)
            : await LoadAsync(model, decision.Range, stop).ConfigureAwait(false);
        if (loop is null)
        {
            LogClaimLost(decision.Range);
            return;
        }

        serving.Set(new HeldBlocks(ServingState.Ready, decision.Range, loop));
        LogReady(decision.Range, loop.WeightBytes, loop.Gauges.DecodeTokensPerSecond);
        placement?.Remember(decision);
        await ServeAsync(decision, placement?.Placer, loop, stop).ConfigureAwait(false);
        serving.DeviceFailure = loop.DeviceFailure;
        await LeaveAsync().ConfigureAwait(false);

        // Not loaded again here: a driver remembers a fault as long as the process lives, and what it says then is not to be trusted.
        if (loop.DeviceFailure is { } failure) throw DeviceFailed(failure, null);
    }

    private static NodeFailureException DeviceFailed(string message, Exception? cause) => new(
        $"The device failed, and this node has taken itself out: {message} Start it again; if that repeats itself, check the device and its driver ('kwaainet devices --check'), or use Shard:Backend=cpu.",
        NodeProgram.DeviceFailed,
        cause);

    /// <summary>Loads blocks while watching the claim; null when it was lost.</summary>
    private async Task<StepLoop?> LoadUnlessLostAsync(OpenedModel model, PlacementDecision decision, SelfPlacement placement, CancellationToken stop)
    {
        using CancellationTokenSource over = CancellationTokenSource.CreateLinkedTokenSource(stop);
        Task lost = placement.Placer.WatchUntilLostAsync(decision, over.Token);
        Task<StepLoop> loading = LoadAsync(model, decision.Range, over.Token);
        Task first = await Task.WhenAny(lost, loading).ConfigureAwait(false);
        await over.CancelAsync().ConfigureAwait(false);
        await lost.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await ((Task)loading).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (first == lost)
        {
            if (loading.IsCompletedSuccessfully) await loading.Result.DisposeAsync().ConfigureAwait(false);
            stop.ThrowIfCancellationRequested();
            await lost.ConfigureAwait(false);
            return null;
        }

        StepLoop loop = await loading.ConfigureAwait(false);
        bool holds = false;
        try
        {
            holds = await placement.StillHoldsAsync(decision, stop).ConfigureAwait(false);
        }
        finally
        {
            if (!holds) await loop.DisposeAsync().ConfigureAwait(false);
        }

        return holds ? loop : null;
    }

    private async Task<StepLoop> LoadAsync(OpenedModel model, BlockRange range, CancellationToken cancellationToken)
    {
        IBlockStack stack = await source.LoadAsync(range, cancellationToken).ConfigureAwait(false);
        return await Task.Run(() => MakeLoop(model, stack, cancellationToken), CancellationToken.None).ConfigureAwait(false);
    }

    private StepLoop MakeLoop(OpenedModel model, IBlockStack stack, CancellationToken cancellationToken)
    {
        BlockSpeed speed;
        // Of its own: shards that start together wait for one another longer than for a turn, which must not follow them into the loop.
        using IComputeTurns measuring = Turns(model);
        measuring.Enter();
        try
        {
            // All that a session could be the first to need is made now: whoever comes to a healthy node finds it fast.
            if (model.IsGpu) WarmUp.Run(stack, _options.PrefillChunkRows, _options.MaxSessions, cancellationToken);
            else WarmUp.RunForAWhile(stack, time, cancellationToken);
            speed = BlockSpeed.Measure(stack, time);
        }
        catch (ComputeException failure)
        {
            // What is on a failed device is not freed piece by piece; the process that ends frees it.
            throw DeviceFailed(failure.Message, failure);
        }
        catch (OperationCanceledException)
        {
            stack.Dispose();
            throw;
        }
        finally
        {
            measuring.Leave();
        }

        SessionLimits limits = new(identity.NodeId, _options.MaxSessions, TimeSpan.FromSeconds(_options.SessionTtlSeconds), _options.MaxOwnerSessions);
        TimeSpan target = TimeSpan.FromMilliseconds(_options.IterationTargetMs);
        return new StepLoop(
            stack,
            model,
            new StepLoopOptions(limits, _options.PrefillChunkRows, target, TimeSpan.FromSeconds(_options.HangSeconds))
            {
                MeasuredPrefill = speed.PrefillTokensPerSecond,
                MeasuredDecode = speed.DecodeTokensPerSecond,
                Turns = Turns(model),
            },
            new Sampler(),
            listener => new HopStreams(links, listener, logger),
            time,
            telemetry,
            logger);
    }

    private IComputeTurns Turns(OpenedModel model)
    {
        int threads = _options.Threads == 0 ? Environment.ProcessorCount : _options.Threads;
        if (!_options.TakeTurns || model.Backend != "cpu" || threads * 2 <= Environment.ProcessorCount) return new FreeTurns();

        try
        {
            return new MachineTurns(TurnsName, s_turnPatience, time);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException or WaitHandleCannotBeOpenedException or NotSupportedException)
        {
            // Shards of one machine then compute at the same time, as they would without it: slower, and right.
            LogNoTurns(failure.Message);
            return new FreeTurns();
        }
    }

    /// <summary>Serves until the device fails, the blocks turn out to be another's, or a gap needs this node elsewhere.</summary>
    private async Task ServeAsync(PlacementDecision decision, Placer? placer, StepLoop loop, CancellationToken stop)
    {
        // A node that hangs is said to be leaving; one that goes on is ready again.
        loop.StuckChanged += () => _ = TryAnnounceAsync(stop);
        using CancellationTokenSource over = CancellationTokenSource.CreateLinkedTokenSource(stop);
        Task watching = WatchAsync(decision, placer, loop, over.Token);
        Task first = await Task.WhenAny(watching, loop.Ended).ConfigureAwait(false);
        await over.CancelAsync().ConfigureAwait(false);
        await watching.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        stop.ThrowIfCancellationRequested();
        if (first == watching) await watching.ConfigureAwait(false);
        else if (await loop.Ended.ConfigureAwait(false) == LoopEnd.DeviceLost) LogDeviceLost(decision.Range);
        else LogLoadingAgain(decision.Range);
    }

    private async Task WatchAsync(PlacementDecision decision, Placer? placer, StepLoop loop, CancellationToken stop)
    {
        while (!await TryAnnounceAsync(stop).ConfigureAwait(false)) await Task.Delay(s_announceRetry, time, stop).ConfigureAwait(false);
        serving.IsAnnouncedReady = true;
        if (placer is null)
        {
            await Task.Delay(Timeout.InfiniteTimeSpan, stop).ConfigureAwait(false);
            return;
        }

        if (!await placer.ConfirmAsync(decision, stop).ConfigureAwait(false))
        {
            LogClaimLost(decision.Range);
            return;
        }

        await placer.WatchUntilNeededElsewhereAsync(
            () => new Holding(identity.NodeId, decision.Range, IsReady: true, loop.Gauges.Sessions), GapPatience, stop).ConfigureAwait(false);
        LogMoving(decision.Range);
    }

    /// <summary>Says that these blocks are left, gives sessions a moment to finish, ends the loop, frees the blocks.</summary>
    private async Task LeaveAsync()
    {
        HeldBlocks held = serving.Held;
        if (held.Loop is not { } loop)
        {
            serving.Set(HeldBlocks.Nothing);
            return;
        }

        // Sessions are refused before the others can know why.
        Task drained = loop.DrainAsync();
        serving.Set(held with { State = ServingState.Draining });
        await AnnounceLeavingAsync().ConfigureAwait(false);
        try
        {
            await drained.WaitAsync(TimeSpan.FromSeconds(_options.DrainSeconds), time).ConfigureAwait(false);
        }
        catch (TimeoutException)
        {
            LogDrainTimeout(loop.Gauges.Sessions);
        }

        await EndAsync(loop).ConfigureAwait(false);
        serving.Set(HeldBlocks.Nothing);
    }

    // A loop that hangs in its device is never over; its thread ends with the process.
    private static async Task EndAsync(StepLoop loop)
    {
        TaskCompletionSource stuck = new(TaskCreationOptions.RunContinuationsAsynchronously);
        loop.StuckChanged += () =>
        {
            if (loop.IsStuck) stuck.TrySetResult();
        };
        Task ended = loop.DisposeAsync().AsTask();
        if (!loop.IsStuck) await (await Task.WhenAny(ended, stuck.Task).ConfigureAwait(false)).ConfigureAwait(false);
    }

    // A directory that hangs must not keep a node from leaving, nor hide why it leaves: it hears of it by the record's end.
    private async Task AnnounceLeavingAsync()
    {
        using CancellationTokenSource limit = new(s_lastAnnouncement, time);
        try
        {
            _ = await TryAnnounceAsync(limit.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (limit.IsCancellationRequested)
        {
            LogNotAnnounced($"Discovery did not answer within {s_lastAnnouncement.TotalSeconds:0} s.");
        }
    }

    private async Task<bool> TryAnnounceAsync(CancellationToken cancellationToken)
    {
        try
        {
            await announcer.AnnounceNowAsync(cancellationToken).ConfigureAwait(false);
            return true;
        }
        catch (Exception failure) when (failure is DirectoryUnavailableException or NodeRecordException)
        {
            LogNotAnnounced(failure.Message);
            return false;
        }
        catch (OperationCanceledException) when (lifetime.ApplicationStopping.IsCancellationRequested)
        {
            return false;
        }
    }

    [LoggerMessage(LogLevel.Information, "Shards of this machine do not take turns: {Reason}")]
    private partial void LogNoTurns(string reason);

    [LoggerMessage(LogLevel.Information, "Model {Model}: {Blocks} blocks; computing with {Backend} on {Device}.")]
    private partial void LogModel(string model, int blocks, string backend, string device);

    [LoggerMessage(LogLevel.Information, "Serving blocks {Blocks} (redundant: {Redundant}); loading.")]
    private partial void LogChosen(BlockRange blocks, bool redundant);

    [LoggerMessage(LogLevel.Warning, "Discovery is away: loading blocks {Blocks}, which were chosen last.")]
    private partial void LogRemembered(BlockRange blocks);

    [LoggerMessage(LogLevel.Information, "Another node serves blocks {Blocks} too; choosing again.")]
    private partial void LogClaimLost(BlockRange blocks);

    [LoggerMessage(LogLevel.Information, "Blocks {Blocks} are ready: {Bytes} bytes of weights, {TokensPerSecond:F1} tokens/s.")]
    private partial void LogReady(BlockRange blocks, long bytes, double tokensPerSecond);

    [LoggerMessage(LogLevel.Information, "Blocks are missing elsewhere, and {Blocks} stay served without this node: moving.")]
    private partial void LogMoving(BlockRange blocks);

    [LoggerMessage(LogLevel.Error, "The device that ran blocks {Blocks} failed; leaving.")]
    private partial void LogDeviceLost(BlockRange blocks);

    [LoggerMessage(LogLevel.Error, "The loop that ran blocks {Blocks} failed; loading them again.")]
    private partial void LogLoadingAgain(BlockRange blocks);

    [LoggerMessage(LogLevel.Warning, "{Sessions} sessions did not finish in time and are ended.")]
    private partial void LogDrainTimeout(int sessions);

    [LoggerMessage(LogLevel.Debug, "Not announced: {Reason}")]
    private partial void LogNotAnnounced(string reason);
}
