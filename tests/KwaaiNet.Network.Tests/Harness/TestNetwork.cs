using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net.Http.Json;
using System.Text.Json;
using KwaaiNet.Cli.Network;
using KwaaiNet.Cli.Processes;
using KwaaiNet.Cli.State;

namespace KwaaiNet.Network.Tests.Harness;

/// <summary>A network of real processes in a home and on ports of its own, started the way the command starts one.</summary>
internal sealed class TestNetwork : INetworkReport, IAsyncDisposable
{
    /// <summary>Short, so that a killed node is missed soon.</summary>
    public static readonly TimeSpan Ttl = TimeSpan.FromSeconds(3);

    private static readonly TimeSpan s_startTimeout = TimeSpan.FromMinutes(2);
    private readonly TestFolder _folder = new();
    private readonly ConcurrentQueue<string> _story = [];
    private readonly Task<NetworkSupervisor> _supervisor;

    private TestNetwork(string model, int shards, int replicas, bool restart, IReadOnlyDictionary<string, string>? settings) =>
        _supervisor = StartAsync(model, shards, replicas, restart, settings);

    public static async Task<TestNetwork> StartAsync(
        int shards, string model, int replicas = 1, bool restart = true, IReadOnlyDictionary<string, string>? settings = null)
    {
        TestNetwork network = new(model, shards, replicas, restart, settings);
        try
        {
            await network._supervisor;
            return network;
        }
        catch
        {
            await network.DisposeAsync();
            throw;
        }
    }

    public KwaaiNetHome Home => new(_folder.Path);

    public NetworkSupervisor Supervisor => _supervisor.Result;

    public string Url => Supervisor.Url;

    public string Model { get; private set; } = "";

    public HttpClient Http { get; } = new() { Timeout = TimeSpan.FromMinutes(1) };

    public IReadOnlyList<string> Shards { get; private set; } = [];

    public async Task<JsonElement> GetAsync(string node, string path) =>
        await Http.GetFromJsonAsync<JsonElement>(Supervisor.Node(node).ReadNodeFile()!.Http + path, TestContext.Current.CancellationToken);

    /// <summary>KV bytes that sessions hold on a shard.</summary>
    public async Task<long> KvUsedAsync(string shard) => (await GetAsync(shard, "/status")).GetProperty("kvUsedBytes").GetInt64();

    /// <summary>Node ids on discovery's map.</summary>
    public async Task<IReadOnlyList<string>> MapAsync() =>
        [.. (await GetAsync(NetworkPlan.DiscoveryName, "/network")).GetProperty("nodes").EnumerateArray().Select(node => node.GetProperty("nodeId").GetString()!)];

    public async Task<bool> IsServedAsync()
    {
        JsonElement list = await Http.GetFromJsonAsync<JsonElement>(Url + "/v1/models", TestContext.Current.CancellationToken);
        return list.GetProperty("data").EnumerateArray().Any(model => model.GetProperty("id").GetString() == Model);
    }

    public NodeFile FileOf(string node) => Supervisor.Node(node).ReadNodeFile()!;

    /// <summary>Waits until a node runs as another process than before, and has said where.</summary>
    public Task RestartedAsync(string node, int before, TimeSpan patience) => UntilAsync(
        () => Task.FromResult(Supervisor.Node(node).ReadNodeFile() is { } file && file.Pid != before), patience, $"{node} was started again");

    /// <summary>What another command would read of the network's processes.</summary>
    public NodeState StateOf(string node) => NetworkStateFile.Read(Home)!.Nodes.Single(state => state.Name == node);

    /// <summary>On how many usable nodes the rarest block lies, as the API says; 0: the model is not served.</summary>
    public async Task<int> ReplicasAsync()
    {
        JsonElement list = await Http.GetFromJsonAsync<JsonElement>(Url + "/v1/models", TestContext.Current.CancellationToken);
        return list.GetProperty("data").EnumerateArray().Where(model => model.GetProperty("id").GetString() == Model)
            .Select(model => model.GetProperty("kwaainet").GetProperty("replicas").GetInt32()).FirstOrDefault();
    }

    /// <summary>SIGKILL.</summary>
    public async Task KillAsync(string node)
    {
        Supervisor.Node(node).Kill();
        await Supervisor.Node(node).Exit.WaitAsync(TimeSpan.FromSeconds(10));
    }

    /// <summary>Waits until a condition holds that gives no event.</summary>
    public static async Task<TimeSpan> UntilAsync(Func<Task<bool>> condition, TimeSpan timeout, string what)
    {
        long start = Stopwatch.GetTimestamp();
        using PeriodicTimer timer = new(TimeSpan.FromMilliseconds(25));
        while (true)
        {
            try
            {
                if (await condition())
                {
                    return Stopwatch.GetElapsedTime(start);
                }
            }
            catch (HttpRequestException)
            {
                // Not answering counts as not yet.
            }

            Assert.True(Stopwatch.GetElapsedTime(start) < timeout, $"not within {timeout.TotalSeconds:0} s: {what}");
            await timer.WaitForNextTickAsync(TestContext.Current.CancellationToken);
        }
    }

    /// <summary>What the nodes wrote, for a test that fails.</summary>
    public string Story() => string.Join(Environment.NewLine, _story.Concat(new Cli.Logs.MergedLog(Home, null).ReadNew().Select(line => $"{line.Node} {line.Text}")));

    public async ValueTask DisposeAsync()
    {
        if (TestContext.Current.TestState?.Result == TestResult.Failed || !_supervisor.IsCompletedSuccessfully)
        {
            TestContext.Current.TestOutputHelper?.WriteLine(Story());
        }

        if (_supervisor.IsCompletedSuccessfully)
        {
            await Supervisor.DisposeAsync();
        }

        Http.Dispose();
        _folder.Dispose();
    }

    void INetworkReport.Waiting(string text) => _story.Enqueue(text);

    void INetworkReport.Ready(string node, NodeFile file) => _story.Enqueue($"{node} is ready");

    void INetworkReport.Died(NodeProcess node, int? exitCode, string problem, RestartVerdict verdict) =>
        _story.Enqueue($"{node.Name} died ({exitCode}): {verdict}");

    void INetworkReport.Trouble(string text) => _story.Enqueue(text);

    private async Task<NetworkSupervisor> StartAsync(string model, int shards, int replicas, bool restart, IReadOnlyDictionary<string, string>? settings)
    {
        Dictionary<string, string> all = new()
        {
            ["Node:HeartbeatMilliseconds"] = "500",
            ["Node:TtlMilliseconds"] = Ttl.TotalMilliseconds.ToString("0", System.Globalization.CultureInfo.InvariantCulture),
            ["Shard:KvBudgetMegabytes"] = "128",
        };
        foreach ((string key, string value) in settings ?? new Dictionary<string, string>())
        {
            all[key] = value;
        }

        NetworkOptions options = new()
        {
            Shards = shards,
            Replicas = replicas,
            Restart = restart,
            Model = model,
            Port = 0,
            Backend = "cpu",
            Settings = all,
        };
        NetworkPlan plan = await Preflight.CheckAsync(Home, options, TestContext.Current.CancellationToken);
        Model = plan.Model.Name;
        Shards = [.. plan.Shards.Select(shard => shard.Name)];
        NetworkSupervisor supervisor = new(Home, plan, this, TimeProvider.System);
        try
        {
            await supervisor.StartAsync(TestContext.Current.CancellationToken).WaitAsync(s_startTimeout);
            return supervisor;
        }
        catch
        {
            await supervisor.DisposeAsync();
            throw;
        }
    }
}
