using KwaaiNet.Cli.Output;
using KwaaiNet.Cli.Processes;
using KwaaiNet.Cli.State;

namespace KwaaiNet.Cli.Network;

/// <summary>Starts the nodes of a plan, watches them, starts single ones again, and stops them all in order.</summary>
internal sealed class NetworkSupervisor : IAsyncDisposable
{
    private readonly KwaaiNetHome _home;
    private readonly NetworkPlan _plan;
    private readonly INetworkReport _report;
    private readonly TimeProvider _clock;
    private readonly NodeReadiness _readiness;
    private readonly Lock _gate = new();
    private readonly Dictionary<string, NodeProcess> _nodes = [];
    private readonly TaskCompletionSource _allEnded = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private bool _stopping;

    public NetworkSupervisor(KwaaiNetHome home, NetworkPlan plan, INetworkReport report, TimeProvider clock)
    {
        _home = home;
        _plan = plan;
        _report = report;
        _clock = clock;
        _readiness = new NodeReadiness(clock);
    }

    /// <summary>Where apps connect; known once <see cref="StartAsync"/> has returned.</summary>
    public string Url { get; private set; } = "";

    /// <summary>Completes when the last node has ended though nobody asked for it.</summary>
    public Task AllEnded => _allEnded.Task;

    /// <summary>The node of that name as it was last started.</summary>
    public NodeProcess Node(string name)
    {
        lock (_gate)
        {
            return _nodes[name];
        }
    }

    /// <summary>Brings everything up and returns when the model can be used.</summary>
    /// <exception cref="CommandFailure">A node ended while starting; what has been started still runs and is stopped by <see cref="StopAsync"/>.</exception>
    public async Task StartAsync(CancellationToken cancellationToken)
    {
        _report.Waiting("starting discovery");
        NodeFile discovery = await StartReadyAsync(_plan.Discovery, cancellationToken).ConfigureAwait(false);
        _report.Waiting($"starting {_plan.Shards.Count} shards and the API node");
        NodeProcess api = Start(WithDiscovery(_plan.Api, discovery));
        NodeProcess[] shards = [.. _plan.Shards.Select(shard => Start(WithDiscovery(shard, discovery)))];
        WriteState(null);

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

        Url = api.ReadNodeFile()?.Http ?? throw new CommandFailure("The API node says it serves no HTTP.", $"read its log, {api.LogPath}.");
        _report.Waiting($"waiting for a chain of shards to cover {_plan.Model.Name}");
        await _readiness.WaitServedAsync(api, Url, _plan.Model.Name, cancellationToken).ConfigureAwait(false);
        WriteState(Url);
    }

    /// <summary>Starts a node again, with the ports it had: others may still hold its address. Nothing else is touched.</summary>
    /// <exception cref="CommandFailure">There is no such node, it still runs and does not stop, or it ended again.</exception>
    public async Task RestartAsync(string name, CancellationToken cancellationToken)
    {
        NodeProcess? old;
        string known;
        lock (_gate)
        {
            _nodes.TryGetValue(name, out old);
            known = string.Join(", ", _nodes.Keys);
        }

        if (old is null)
        {
            throw new CommandFailure($"There is no node named '{name}' in this network.", $"one of {known}.");
        }

        NodeFile? before = old.ReadNodeFile();
        lock (_gate)
        {
            // Out of the table first: its end is wanted now, and not reported as a death.
            _nodes.Remove(name);
        }

        await old.StopAsync(NodeProcess.DefaultGrace, cancellationToken).ConfigureAwait(false);
        await old.DisposeAsync().ConfigureAwait(false);
        NodeLaunch launch = old.Launch.With(("Node:GrpcPort", PortOf(before?.Grpc)), ("Node:HttpPort", PortOf(before?.Http)));
        await StartReadyAsync(launch, cancellationToken).ConfigureAwait(false);
        WriteState(Url);
    }

    /// <summary>Stops the API node first, so that nobody is promised anything more, then the shards, then discovery, which hears them leave.</summary>
    /// <param name="now">Cancelled when the user does not want to wait: what still runs is killed.</param>
    public async Task StopAsync(CancellationToken now)
    {
        List<NodeProcess> nodes;
        lock (_gate)
        {
            _stopping = true;
            nodes = [.. _nodes.Values];
        }

        foreach (IGrouping<int, NodeProcess> group in nodes.GroupBy(StopOrder).OrderBy(group => group.Key))
        {
            await Task.WhenAll(group.Select(node => node.StopAsync(NodeProcess.DefaultGrace, now))).ConfigureAwait(false);
        }

        NetworkStateFile.Delete(_home);
    }

    public async ValueTask DisposeAsync()
    {
        await StopAsync(new CancellationToken(canceled: true)).ConfigureAwait(false);
        foreach (NodeProcess node in _nodes.Values)
        {
            await node.DisposeAsync().ConfigureAwait(false);
        }

        _readiness.Dispose();
    }

    private static int StopOrder(NodeProcess node) => node.Name switch
    {
        NetworkPlan.ApiName => 0,
        NetworkPlan.DiscoveryName => 2,
        _ => 1,
    };

    private static NodeLaunch WithDiscovery(NodeLaunch launch, NodeFile discovery) =>
        launch.With(("Node:Discovery", discovery.Grpc), ("Node:DiscoveryNodeId", discovery.NodeId));

    private static string? PortOf(string? address) =>
        address is null ? null : new Uri(address).Port.ToString(System.Globalization.CultureInfo.InvariantCulture);

    private async Task<NodeFile> StartReadyAsync(NodeLaunch launch, CancellationToken cancellationToken)
    {
        NodeProcess node = Start(launch);
        return await ReportReadyAsync(node, cancellationToken).ConfigureAwait(false);
    }

    private async Task<NodeFile> ReportReadyAsync(NodeProcess node, CancellationToken cancellationToken)
    {
        NodeFile file = await _readiness.WaitHealthyAsync(node, cancellationToken).ConfigureAwait(false);
        _report.Ready(node.Name, file);
        return file;
    }

    private NodeProcess Start(NodeLaunch launch)
    {
        NodeProcess node = NodeProcess.Start(launch, _home.NodeFolder(launch.Name), _clock);
        lock (_gate)
        {
            _nodes[launch.Name] = node;
        }

        _ = ObserveAsync(node);
        return node;
    }

    private async Task ObserveAsync(NodeProcess node)
    {
        int exitCode = await node.Exit.ConfigureAwait(false);
        bool allEnded;
        lock (_gate)
        {
            // While the network starts, and after a wanted stop, somebody else waits for this end.
            if (_stopping || Url.Length == 0 || !_nodes.TryGetValue(node.Name, out NodeProcess? current) || current != node)
            {
                return;
            }

            allEnded = _nodes.Values.All(other => other.Exit.IsCompleted);
        }

        _report.Died(node, exitCode);
        if (allEnded)
        {
            _allEnded.TrySetResult();
        }
    }

    private void WriteState(string? url)
    {
        lock (_gate)
        {
            NetworkStateFile.Write(_home, new NetworkState
            {
                Supervisor = ProcessStamp.OfThisProcess(),
                Url = url ?? "",
                Model = _plan.Model.Name,
                ModelPath = _plan.Model.Path,
                ControlPipe = Control.ControlPipe.NameFor(_home),
                Nodes = [.. _nodes.Values.Select(node => new NodeState(node.Name, node.Stamp))],
            });
        }
    }
}
