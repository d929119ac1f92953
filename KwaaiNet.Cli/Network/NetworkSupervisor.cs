using System.Globalization;
using KwaaiNet.Cli.Output;
using KwaaiNet.Cli.Processes;
using KwaaiNet.Cli.State;

namespace KwaaiNet.Cli.Network;

/// <summary>Starts the nodes of a plan, watches them, starts again those that die, and stops them all in order.</summary>
internal sealed class NetworkSupervisor : IAsyncDisposable
{
    // Apps that still read are cut off: nobody promised them that the network stays. A shard drains for five seconds.
    private static readonly TimeSpan s_apiGrace = TimeSpan.FromSeconds(3);
    private static readonly TimeSpan s_shardGrace = TimeSpan.FromSeconds(6);
    private static readonly TimeSpan s_discoveryGrace = TimeSpan.FromSeconds(1.5);

    private readonly KwaaiNetHome _home;
    private readonly NetworkPlan _plan;
    private readonly INetworkReport _report;
    private readonly TimeProvider _clock;
    private readonly NodeReadiness _readiness;
    private readonly Lock _gate = new();
    private readonly Dictionary<string, SupervisedNode> _nodes = [];
    private readonly CancellationTokenSource _stop = new();
    private readonly TaskCompletionSource _allEnded = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private bool _stopping;
    private string? _weightsHash;

    public NetworkSupervisor(KwaaiNetHome home, NetworkPlan plan, INetworkReport report, TimeProvider clock)
    {
        _home = home;
        _plan = plan;
        _report = report;
        _clock = clock;
        _readiness = new NodeReadiness(clock);
    }

    /// <summary>The longest <see cref="StopAsync"/> takes, whatever the nodes do.</summary>
    public static TimeSpan LongestStop => s_apiGrace + s_shardGrace + s_discoveryGrace + (3 * NodeProcess.KillPatience);

    /// <summary>Where apps connect; known once <see cref="StartAsync"/> has returned.</summary>
    public string Url { get; private set; } = "";

    /// <summary>Completes when the last node has ended though nobody asked for it, and none is started again.</summary>
    public Task AllEnded => _allEnded.Task;

    /// <summary>Nodes that died too often and were left.</summary>
    public IReadOnlyList<string> GivenUp
    {
        get
        {
            lock (_gate)
            {
                return [.. _nodes.Values.Where(node => node.IsGivenUp).Select(node => node.Name)];
            }
        }
    }

    /// <summary>The node of that name as it was last started.</summary>
    public NodeProcess Node(string name)
    {
        lock (_gate)
        {
            return _nodes[name].Process!;
        }
    }

    /// <summary>Brings everything up and returns when the model can be used.</summary>
    /// <exception cref="CommandFailure">A node ended while starting; what has been started still runs and is stopped by <see cref="StopAsync"/>.</exception>
    public async Task StartAsync(CancellationToken cancellationToken)
    {
        _report.Waiting("starting discovery");
        NodeFile discovery = await ReportReadyAsync(Start(_plan.Discovery), cancellationToken).ConfigureAwait(false);
        _report.Waiting($"starting {_plan.Shards.Count} {(_plan.Shards.Count == 1 ? "shard" : "shards")} and the API node");
        NodeProcess api = Start(WithDiscovery(_plan.Api, discovery));
        NodeProcess[] shards = [.. _plan.Shards.Select(shard => Start(WithDiscovery(shard, discovery)))];

        // The first failure is the story: the others are waits that would never end.
        using CancellationTokenSource failed = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        List<Task> pending = [.. shards.Append(api).Select(node => ReportReadyAsync(node, failed.Token))];
        while (pending.Count > 0)
        {
            Task done = await Task.WhenAny(pending).ConfigureAwait(false);
            pending.Remove(done);
            if (!done.IsCompletedSuccessfully)
            {
                await failed.CancelAsync().ConfigureAwait(false);
                await done.ConfigureAwait(false);
            }
        }

        string url = api.ReadNodeFile()?.Http ?? throw new CommandFailure("The API node says it serves no HTTP.", $"read its log, {api.LogPath}.");
        _report.Waiting($"waiting for a chain of shards to cover {_plan.Model.Name}");
        _weightsHash = await _readiness.WaitServedAsync(
            api, url, _plan.Model.Name, missing => _report.Waiting($"waiting for a chain of shards to cover {_plan.Model.Name} ({missing})"), cancellationToken).ConfigureAwait(false);
        Url = url;
        WriteState();
    }

    /// <summary>Starts a node again, with the ports it had: others may still hold its address. Nothing else is touched.</summary>
    /// <param name="name">The node.</param>
    /// <param name="cancellationToken">Ends the waiting: a process that was started stays.</param>
    /// <exception cref="CommandFailure">There is no such node, or it ended again.</exception>
    public async Task RestartAsync(string name, CancellationToken cancellationToken)
    {
        SupervisedNode? node;
        string known;
        lock (_gate)
        {
            _nodes.TryGetValue(name, out node);
            known = string.Join(", ", _nodes.Keys);
        }

        if (node is null)
        {
            throw new CommandFailure($"There is no node named '{name}' in this network.", $"one of {known}.");
        }

        NodeProcess started;
        await node.Replacing.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            lock (_gate)
            {
                node.Retiring = node.Process;
                node.Policy = new RestartPolicy(_clock, _plan.Options.Restart);
                node.WhyStopped = null;
                node.IsGivenUp = false;
            }

            started = await ReplaceAsync(node).ConfigureAwait(false);
        }
        catch (CommandFailure failure)
        {
            lock (_gate)
            {
                node.WhyStopped = failure.Message;
            }

            WriteState();
            throw;
        }
        finally
        {
            node.Replacing.Release();
        }

        await ReportReadyAsync(started, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Stops the API node first, so that nobody is promised anything more, then the shards, then discovery, which hears them leave.</summary>
    /// <param name="now">Cancelled when the user does not want to wait: what still runs is killed.</param>
    public async Task StopAsync(CancellationToken now)
    {
        List<NodeProcess> nodes;
        lock (_gate)
        {
            _stopping = true;
            nodes = [.. _nodes.Values.Select(node => node.Process).OfType<NodeProcess>()];
        }

        await _stop.CancelAsync().ConfigureAwait(false);
        foreach ((TimeSpan grace, NodeProcess[] group) in new[]
        {
            (s_apiGrace, nodes.Where(node => node.Name == NetworkPlan.ApiName).ToArray()),
            (s_shardGrace, nodes.Where(node => node.Name is not (NetworkPlan.ApiName or NetworkPlan.DiscoveryName)).ToArray()),
            (s_discoveryGrace, nodes.Where(node => node.Name == NetworkPlan.DiscoveryName).ToArray()),
        })
        {
            await Task.WhenAll(group.Select(node => node.StopAsync(grace, now))).ConfigureAwait(false);
        }

        NetworkStateFile.Delete(_home);
    }

    public async ValueTask DisposeAsync()
    {
        await StopAsync(new CancellationToken(canceled: true)).ConfigureAwait(false);
        foreach (NodeProcess process in _nodes.Values.Select(node => node.Process).OfType<NodeProcess>())
        {
            await process.DisposeAsync().ConfigureAwait(false);
        }

        _readiness.Dispose();
    }

    private static NodeLaunch WithDiscovery(NodeLaunch launch, NodeFile discovery) =>
        launch.With(("Node:Discovery", discovery.Grpc), ("Node:DiscoveryNodeId", discovery.NodeId));

    private static string? PortOf(string? address) =>
        address is null ? null : new Uri(address).Port.ToString(CultureInfo.InvariantCulture);

    private async Task<NodeFile> ReportReadyAsync(NodeProcess process, CancellationToken cancellationToken)
    {
        NodeFile file = await _readiness.WaitHealthyAsync(process, cancellationToken).ConfigureAwait(false);
        lock (_gate)
        {
            SupervisedNode node = _nodes[process.Name];
            node.WasReady = true;
            node.Policy.Ready();
        }

        _report.Ready(process.Name, file);
        return file;
    }

    /// <summary>Ends a node's process, if it has not ended, and starts it with the ports it had.</summary>
    private async Task<NodeProcess> ReplaceAsync(SupervisedNode node)
    {
        NodeProcess old = node.Process!;
        NodeFile? before = old.ReadNodeFile();
        await old.StopAsync(NodeProcess.DefaultGrace, _stop.Token).ConfigureAwait(false);
        await old.DisposeAsync().ConfigureAwait(false);
        return Start(old.Launch.With(("Node:GrpcPort", PortOf(before?.Grpc)), ("Node:HttpPort", PortOf(before?.Http))));
    }

    private NodeProcess Start(NodeLaunch launch)
    {
        NodeProcess process;
        lock (_gate)
        {
            if (_stopping)
            {
                throw new CommandFailure("The network is stopping.", $"start it again with '{CommandName.For("up")}'.");
            }

            process = NodeProcess.Start(launch, _home.NodeFolder(launch.Name), _clock);
            if (!_nodes.TryGetValue(launch.Name, out SupervisedNode? node))
            {
                node = _nodes[launch.Name] = new SupervisedNode(launch.Name, new RestartPolicy(_clock, _plan.Options.Restart));
            }

            node.Process = process;
        }

        // At once: whoever ends a supervisor that hangs ends what it had started, and finds it here.
        WriteState();
        _ = ObserveAsync(process);
        return process;
    }

    private async Task ObserveAsync(NodeProcess process)
    {
        int exitCode = await process.Exit.ConfigureAwait(false);
        SupervisedNode node;
        RestartVerdict verdict;
        lock (_gate)
        {
            node = _nodes[process.Name];
            // While the network starts, and after a wanted stop, somebody else waits for this end.
            if (_stopping || !node.WasReady || node.Process != process || node.Retiring == process)
            {
                return;
            }

            verdict = Judge(node, exitCode, $"exit code {exitCode} at {_clock.GetUtcNow().UtcDateTime:yyyy-MM-dd'T'HH:mm:ss'Z'}: {process.LastError ?? "it reported no error."}");
        }

        await FollowAsync(node, process, exitCode, verdict).ConfigureAwait(false);
    }

    // In the lock.
    private static RestartVerdict Judge(SupervisedNode node, int? exitCode, string end)
    {
        RestartVerdict verdict = node.Policy.Ended(exitCode);
        node.LastEnd = end;
        node.WhyStopped = verdict.WhyNot;
        node.IsGivenUp = verdict.IsLimit;
        return verdict;
    }

    /// <summary>Does what was decided about a node that ended; a start that fails is another end.</summary>
    private async Task FollowAsync(SupervisedNode node, NodeProcess ended, int? exitCode, RestartVerdict verdict)
    {
        string problem = ended.LastError ?? "It reported no error.";
        while (true)
        {
            WriteState();
            _report.Died(ended, exitCode, problem, verdict);
            if (verdict.Delay is not { } delay)
            {
                EndIfNoneIsLeft();
                return;
            }

            try
            {
                await Task.Delay(delay, _clock, _stop.Token).ConfigureAwait(false);
                await ReviveAsync(node, ended).ConfigureAwait(false);
                return;
            }
            catch (OperationCanceledException) when (_stop.IsCancellationRequested)
            {
                return;
            }
            catch (CommandFailure failure)
            {
                lock (_gate)
                {
                    // Started, and ended again: its own observer judges that. Stopping: nothing is judged any more.
                    if (_stopping || node.Process != ended)
                    {
                        return;
                    }

                    (exitCode, problem) = (null, failure.Message);
                    verdict = Judge(node, null, problem);
                }
            }
        }
    }

    private async Task ReviveAsync(SupervisedNode node, NodeProcess ended)
    {
        NodeProcess started;
        await node.Replacing.WaitAsync(_stop.Token).ConfigureAwait(false);
        try
        {
            if (node.Process != ended)
            {
                // A person was faster.
                return;
            }

            lock (_gate)
            {
                node.Restarts++;
            }

            started = await ReplaceAsync(node).ConfigureAwait(false);
        }
        finally
        {
            node.Replacing.Release();
        }

        await ReportReadyAsync(started, _stop.Token).ConfigureAwait(false);
    }

    private void EndIfNoneIsLeft()
    {
        lock (_gate)
        {
            if (_nodes.Values.Any(node => node.WhyStopped is null))
            {
                return;
            }
        }

        _allEnded.TrySetResult();
    }

    private void WriteState()
    {
        try
        {
            lock (_gate)
            {
                if (_stopping)
                {
                    return;
                }

                NetworkStateFile.Write(_home, new NetworkState
                {
                    Supervisor = ProcessStamp.OfThisProcess(),
                    Url = Url,
                    Model = _plan.Model.Name,
                    ModelPath = _plan.Model.Path,
                    WeightsHash = _weightsHash,
                    Network = _plan.NetworkName,
                    ControlPipe = Control.ControlPipe.NameFor(_home),
                    Nodes = [.. _nodes.Values.Where(node => node.Process is not null).Select(node => node.ToState())],
                });
            }
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            // The nodes go on without it; what other commands read meanwhile is older than the truth.
            _report.Trouble($"{_home.StateFile} cannot be written, so 'status' may show what was before: {exception.Message}");
        }
    }
}
