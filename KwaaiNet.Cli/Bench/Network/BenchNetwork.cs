using System.Diagnostics;
using System.Net.Http.Json;
using System.Text.Json;
using KwaaiNet.Cli.Http;
using KwaaiNet.Cli.Network;
using KwaaiNet.Cli.Output;
using KwaaiNet.Cli.Processes;
using KwaaiNet.Cli.State;

namespace KwaaiNet.Cli.Bench.Network;

/// <summary>A network of real processes on this machine, in a home of its own, that lasts as long as what is measured on it.</summary>
internal sealed class BenchNetwork : INetworkReport, IAsyncDisposable
{
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(10);

    private readonly string _folder = Directory.CreateTempSubdirectory("kwaainet-bench-").FullName;
    private readonly HttpClient _http = DirectHttp.ForNodes(s_patience);
    private readonly Action<string> _waiting;
    private readonly CancellationToken _stopNow;
    private readonly LongWay _way;
    private readonly NetworkPlan _plan;
    private readonly NetworkSupervisor _supervisor;
    private readonly Lock _gate = new();
    private readonly List<string> _deaths = [];

    private BenchNetwork(NetworkPlan plan, TimeSpan roundTrip, TimeProvider clock, Action<string> waiting, CancellationToken stopNow)
    {
        _waiting = waiting;
        _stopNow = stopNow;
        _way = new LongWay(roundTrip, clock);
        _plan = roundTrip > TimeSpan.Zero ? plan.WithShards(_way.Before) : plan;
        _supervisor = new NetworkSupervisor(new KwaaiNetHome(_folder), _plan, this, clock);
    }

    /// <summary>The API node.</summary>
    public string Url => _supervisor.Url;

    /// <summary>The shards' names.</summary>
    public IReadOnlyList<string> Shards => [.. _plan.Shards.Select(shard => shard.Name)];

    /// <summary>Nodes that ended though nobody asked them to, and how.</summary>
    public IReadOnlyList<string> Deaths
    {
        get
        {
            lock (_gate) return [.. _deaths];
        }
    }

    /// <summary>Brings a network up.</summary>
    /// <param name="plan">Its nodes.</param>
    /// <param name="roundTrip">How far shards are from everybody else; zero: on this machine.</param>
    /// <param name="clock">The clock.</param>
    /// <param name="waiting">Told what is waited for.</param>
    /// <param name="cancellationToken">Ends the start.</param>
    /// <param name="stopNow">Ends nodes that take their time to stop.</param>
    /// <exception cref="CommandFailure">It does not come up; nothing is left of it.</exception>
    public static async Task<BenchNetwork> StartAsync(
        NetworkPlan plan, TimeSpan roundTrip, TimeProvider clock, Action<string> waiting, CancellationToken cancellationToken, CancellationToken stopNow)
    {
        BenchNetwork network = new(plan, roundTrip, clock, waiting, stopNow);
        try
        {
            await network._supervisor.StartAsync(cancellationToken).ConfigureAwait(false);
            return network;
        }
        catch
        {
            await network.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    /// <summary>A node's process as it was last started.</summary>
    public Process Open(string node) => Process.GetProcessById(_supervisor.Node(node).Stamp.Pid);

    /// <summary>What a shard says of itself: <c>GET /status</c>.</summary>
    /// <exception cref="HttpRequestException">It does not answer.</exception>
    public Task<JsonElement> StatusAsync(string shard, CancellationToken cancellationToken) =>
        _http.GetFromJsonAsync<JsonElement>(_supervisor.Node(shard).ReadNodeFile()!.Http + "/status", cancellationToken);

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _supervisor.StopAsync(_stopNow).ConfigureAwait(false);
        await _supervisor.DisposeAsync().ConfigureAwait(false);
        await _way.DisposeAsync().ConfigureAwait(false);
        _http.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    void INetworkReport.Waiting(string text) => _waiting(text);

    void INetworkReport.Ready(string node, NodeFile file)
    {
    }

    void INetworkReport.Died(NodeProcess node, int? exitCode, string problem, RestartVerdict verdict)
    {
        lock (_gate) _deaths.Add($"{node.Name} ended with exit code {exitCode}: {problem}");
    }

    void INetworkReport.Trouble(string text)
    {
    }
}
