using System.Collections.Concurrent;
using System.Net;
using KwaaiNet.Discovery.Backends;
using KwaaiNet.Discovery.Hosting;
using KwaaiNet.Protocol.Discovery;
using KwaaiNet.Protocol.Wire;
using KwaaiNet.ServiceDefaults.Hosting;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using StackExchange.Redis;

namespace KwaaiNet.Discovery.Tests;

/// <summary>Redis servers that do not let us in, are full, or are replicas: what they say reaches people, and nodes go on.</summary>
public sealed class RedisFaultTests
{
    private const string Password = "right";
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("", "NOAUTH")]
    [InlineData(",password=wrong", "WRONGPASS")]
    [InlineData(",user=nobody,password=wrong", "WRONGPASS")]
    public async Task A_redis_that_does_not_let_the_service_in_ends_its_start_with_redis_s_own_word(string signIn, string word)
    {
        await using RedisServerProcess redis = await RedisServerProcess.StartAsync(Password);
        await using WebApplication app = DiscoveryHost.Compose(Arguments(redis.Address + signIn));
        NodeFailureException refused = await Assert.ThrowsAsync<NodeFailureException>(() => app.StartAsync(Cancel).WaitAsync(TimeSpan.FromSeconds(60), Cancel));
        Assert.Equal(NodeProgram.BadConfiguration, refused.ExitCode);
        foreach (string said in new[] { word, redis.Address, "ConnectionStrings:registry" }) Assert.Contains(said, refused.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("wrong", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_right_password_lets_it_in()
    {
        await using RedisServerProcess redis = await RedisServerProcess.StartAsync(Password);
        await using DiscoveryServer server = new();
        await server.StartAsync($"--ConnectionStrings:registry={redis.Address},password={Password}");
        using TestIdentity node = new();
        await AnnounceAsync(server.Client, node);
        Assert.Equal("Healthy", await HealthAsync(server, HttpStatusCode.OK));
    }

    [Fact]
    public async Task Nodes_known_so_far_stay_while_redis_is_full_and_health_and_errors_say_why()
    {
        await using RedisServerProcess redis = await RedisServerProcess.StartAsync();
        await using DiscoveryServer server = new();
        await server.StartAsync($"--ConnectionStrings:registry={redis.Address}");
        using TestIdentity node = new();
        using NodeDirectoryView view = new(server.Client, new NodeQuery(), TimeProvider.System, NullLogger<NodeDirectoryView>.Instance);
        await view.StartAsync(Cancel);
        await AnnounceAsync(server.Client, node, record => record.TtlMs = 2_000);
        await UntilAsync(view, snapshot => snapshot.IsLive && snapshot.Records.ContainsKey(node.NodeId));

        await redis.SetAsync("maxmemory", "1");
        AssertSays(await RefusalAsync(() => server.Client.AnnounceAsync(node.Next(), Cancel), "OOM"), redis, "OOM command not allowed");
        AssertSays(await HealthAsync(server, HttpStatusCode.ServiceUnavailable), redis, "OOM command not allowed");
        NodeDirectorySnapshot kept = await UntilAsync(view, snapshot => !snapshot.IsLive);

        // Until Redis has let the record go, which nobody could renew.
        await using (ConnectionMultiplexer client = await ConnectionMultiplexer.ConnectAsync(redis.Address))
        {
            await PollAsync(async () => !await client.GetDatabase().KeyExistsAsync(RedisKeys.Record(node.NodeId)));
        }

        Assert.True(view.Current.Records.ContainsKey(node.NodeId));
        Assert.Same(kept.Records[node.NodeId], view.Current.Records[node.NodeId]);
        AssertSays((await Assert.ThrowsAsync<DirectoryUnavailableException>(() => server.Client.LookupAsync(new NodeQuery(), Cancel))).Message, redis, "OOM");

        await redis.SetAsync("maxmemory", "0");
        await AnnounceAsync(server.Client, node);
        Assert.Equal("Healthy", await HealthAsync(server, HttpStatusCode.OK));
        await UntilAsync(view, snapshot => snapshot.IsLive && snapshot.Records.ContainsKey(node.NodeId));
        await view.StopAsync(Cancel);
    }

    [Fact]
    public async Task A_service_that_starts_on_a_full_redis_does_not_show_it_as_empty()
    {
        await using RedisServerProcess redis = await RedisServerProcess.StartAsync("", "--maxmemory", "1");
        await using DiscoveryServer server = new();
        await server.StartAsync($"--ConnectionStrings:registry={redis.Address}");
        AssertSays(await RefusalAsync(() => WatchReader.StartAsync(server.Client, new NodeQuery()), "OOM"), redis, "OOM");
        Assert.False(server.View.Current.IsLive);
    }

    [Fact]
    public async Task A_replica_is_named_as_one()
    {
        await using RedisServerProcess primary = await RedisServerProcess.StartAsync();
        await using RedisServerProcess replica = await RedisServerProcess.StartAsync("", "--replicaof", "127.0.0.1", $"{primary.Port}");
        await using DiscoveryServer server = new();
        await server.StartAsync($"--ConnectionStrings:registry={replica.Address}");
        using TestIdentity node = new();
        AssertSays(await RefusalAsync(() => server.Client.AnnounceAsync(node.Next(), Cancel), "READONLY"), replica, "READONLY");
        AssertSays(await HealthAsync(server, HttpStatusCode.ServiceUnavailable), replica, "READONLY");
    }

    [Fact]
    public async Task A_full_redis_is_logged_once_and_its_return_too()
    {
        await using RedisServerProcess redis = await RedisServerProcess.StartAsync();
        using Lines lines = new();
        await using RedisDirectory directory = RedisDirectory.Connect(redis.Address, 100, TimeProvider.System, lines);
        using TestIdentity node = new();
        await AnnounceAsync(directory, node);
        await redis.SetAsync("maxmemory", "1");
        for (int heartbeat = 0; heartbeat < 3; heartbeat++)
            await RefusalAsync(() => directory.AnnounceAsync(node.Next(), Cancel), "OOM");
        await redis.SetAsync("maxmemory", "0");
        await AnnounceAsync(directory, node);

        Assert.Collection(
            lines.All.Where(line => line.Contains("records", StringComparison.Ordinal)),
            line => Assert.Contains("takes no records: OOM command not allowed", line, StringComparison.Ordinal),
            line => Assert.Contains("takes records again", line, StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("OOM command not allowed when used memory > 'maxmemory'. script: ca80, on @user_script:1.", "OOM", "OOM command not allowed when used memory > 'maxmemory'")]
    [InlineData("MISCONF Redis is configured to save RDB snapshots, but it's currently unable to persist to disk. Commands that", "MISCONF", "MISCONF Redis is configured to save RDB snapshots, but it's currently unable to persist to disk")]
    [InlineData("ERR invalid password", "ERR", "ERR invalid password")]
    [InlineData("Something else", null, "Something else")]
    public void What_redis_says_is_told_without_what_is_ours(string said, string? word, string reason)
    {
        RedisFault fault = RedisFault.OfWords(said);
        Assert.Equal((word, reason), (fault.Word, fault.Reason));
    }

    private static string[] Arguments(string registry) =>
        ["--Node:GrpcPort=0", "--Node:HttpPort=0", "--Logging:LogLevel:Default=None", $"--ConnectionStrings:registry={registry}"];

    private static void AssertSays(string text, RedisServerProcess redis, string words)
    {
        Assert.Contains($"Redis at {redis.Address}", text, StringComparison.Ordinal);
        Assert.Contains(words, text, StringComparison.Ordinal);
    }

    private static async Task<string> HealthAsync(DiscoveryServer server, HttpStatusCode expected)
    {
        using HttpClient http = new();
        string text = "";
        await PollAsync(async () =>
        {
            using HttpResponseMessage health = await http.GetAsync(new Uri(server.Http + "/health"), Cancel);
            text = await health.Content.ReadAsStringAsync(Cancel);
            // A busy machine may not have answered the check in its time.
            return health.StatusCode == expected && !text.Contains("not answer", StringComparison.Ordinal);
        });
        return text;
    }

    // The connection is made in the background, and on a busy machine it is there a moment later.
    private static Task AnnounceAsync(INodeDirectory directory, TestIdentity node, Action<NodeRecord>? change = null) => PollAsync(async () =>
    {
        try
        {
            await directory.AnnounceAsync(node.Next(change: change), Cancel);
            return true;
        }
        catch (DirectoryUnavailableException)
        {
            return false;
        }
    });

    private static async Task<string> RefusalAsync(Func<Task> call, string word)
    {
        string message = "";
        await PollAsync(async () => (message = (await Assert.ThrowsAsync<DirectoryUnavailableException>(call)).Message).Contains(word, StringComparison.Ordinal));
        return message;
    }

    private static Task<NodeDirectorySnapshot> UntilAsync(NodeDirectoryView view, Func<NodeDirectorySnapshot, bool> condition) =>
        view.WaitUntilAsync(condition, Cancel).WaitAsync(TimeSpan.FromSeconds(60), Cancel);

    private static async Task PollAsync(Func<Task<bool>> holds)
    {
        using CancellationTokenSource limit = CancellationTokenSource.CreateLinkedTokenSource(Cancel);
        limit.CancelAfter(TimeSpan.FromSeconds(60));
        using PeriodicTimer timer = new(TimeSpan.FromMilliseconds(50));
        while (!await holds()) await timer.WaitForNextTickAsync(limit.Token);
    }

    private sealed class Lines : ILoggerFactory, ILogger
    {
        public ConcurrentQueue<string> All { get; } = new();

        public ILogger CreateLogger(string categoryName) => this;

        public void AddProvider(ILoggerProvider provider)
        {
        }

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            All.Enqueue(formatter(state, exception));

        public void Dispose()
        {
        }
    }
}
