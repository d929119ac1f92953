using System.Threading.Channels;
using KwaaiNet.Protocol.Discovery;
using KwaaiNet.Protocol.Nodes;
using KwaaiNet.Protocol.Transport;
using KwaaiNet.Protocol.Wire;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Time.Testing;

namespace KwaaiNet.Protocol.Tests;

public sealed class NodeAnnouncerTests : IDisposable
{
    private readonly NodeIdentity _identity = NodeIdentity.Create();
    private readonly NodeEndpoints _endpoints = new();
    private readonly WatchedClock _time = new(new DateTimeOffset(2026, 6, 1, 0, 0, 0, TimeSpan.Zero));
    private readonly FakeDirectory _directory = new();
    private readonly TestAnnouncer _announcer;

    public NodeAnnouncerTests() => _announcer = new TestAnnouncer(new NodeAnnouncerDependencies(
        _identity, _endpoints, Options.Create(new NodeOptions { Network = "test", Region = "here" }), _time, NullLoggerFactory.Instance, _directory));

    public void Dispose()
    {
        _announcer.Dispose();
        _identity.Dispose();
    }

    [Fact]
    public async Task The_first_announcement_waits_for_the_port_and_names_it()
    {
        await _announcer.StartAsync(TestContext.Current.CancellationToken);
        Assert.False(_directory.TryNext(out _));
        _endpoints.SetBound("https://127.0.0.1:5001", "http://127.0.0.1:5002");
        NodeRecord record = (await _directory.NextAsync()).Record;
        Assert.Equal(["https://127.0.0.1:5001"], record.Endpoints);
        Assert.Equal("http://127.0.0.1:5002", record.HttpEndpoint);
        Assert.Equal(("test", "here", NodeRole.Shard, 15_000u), (record.Network, record.Region, record.Role, record.TtlMs));
        Assert.Equal(_time.GetUtcNow().ToUnixTimeMilliseconds(), record.IssuedUnixMs);
        Assert.Equal((ulong)record.IssuedUnixMs, record.Sequence);
        Assert.Equal([1u, 2u], record.ProtocolVersions);
        Assert.True(record.MemoryBytes > 0);
        await _announcer.StopAsync(TestContext.Current.CancellationToken);
    }

    [Fact]
    public async Task Every_heartbeat_renews_the_record_and_the_node_s_start_stays()
    {
        NodeRecord first = (await StartAsync()).Record;
        Assert.Equal(first.IssuedUnixMs, first.StartedUnixMs);
        ulong last = first.Sequence;
        for (int i = 0; i < 3; i++)
        {
            SignedNodeRecord next = await NextAfterAsync(TimeSpan.FromMilliseconds(NodeOptions.DefaultHeartbeatMilliseconds));
            Assert.True(next.Record.Sequence > last);
            Assert.Equal(first.StartedUnixMs, next.Record.StartedUnixMs);
            last = next.Record.Sequence;
        }

        await _announcer.StopAsync(TestContext.Current.CancellationToken);
    }

    [Fact]
    public async Task A_change_is_announced_at_once()
    {
        SignedNodeRecord first = await StartAsync();
        _announcer.Model = "other";
        await _announcer.AnnounceNowAsync(TestContext.Current.CancellationToken);
        SignedNodeRecord second = await _directory.NextAsync();
        Assert.Equal("other", second.Record.Serving[0].Model);
        Assert.Equal(first.Record.Sequence + 1, second.Record.Sequence);
        Assert.Same(second, _announcer.Current);
        await _announcer.StopAsync(TestContext.Current.CancellationToken);
    }

    [Fact]
    public async Task News_does_not_wait_for_the_heartbeat()
    {
        SignedNodeRecord first = await StartAsync();
        _announcer.News = record => record.Sequence == first.Record.Sequence;
        SignedNodeRecord second = await NextAfterAsync(NodeAnnouncer.NewsInterval);
        Assert.Equal(first.Record.Sequence + (ulong)NodeAnnouncer.NewsInterval.TotalMilliseconds, second.Record.Sequence);

        // What is told is no news any more.
        await NextAfterAsync(TimeSpan.FromMilliseconds(NodeOptions.DefaultHeartbeatMilliseconds));
        await _announcer.StopAsync(TestContext.Current.CancellationToken);
    }

    [Fact]
    public async Task An_absent_directory_is_tried_again_sooner_than_the_heartbeat_then_slower()
    {
        _directory.IsAway = true;
        await StartAsync();
        await NextAfterAsync(NodeAnnouncer.FirstRetryDelay);
        await NextAfterAsync(2 * NodeAnnouncer.FirstRetryDelay);
        _directory.IsAway = false;
        await NextAfterAsync(4 * NodeAnnouncer.FirstRetryDelay);
        await Assert.ThrowsAsync<DirectoryUnavailableException>(async () =>
        {
            _directory.IsAway = true;
            await _announcer.AnnounceNowAsync(TestContext.Current.CancellationToken);
        });
        await _announcer.StopAsync(TestContext.Current.CancellationToken);
    }

    [Fact]
    public async Task A_clock_that_was_set_back_is_overcome()
    {
        ulong stored = (ulong)_time.GetUtcNow().AddHours(1).ToUnixTimeMilliseconds();
        _directory.Refusal = new NodeRecordException("sequence is too low.") { StoredSequence = stored };
        await StartAsync();
        SignedNodeRecord second = await NextAfterAsync(NodeAnnouncer.FirstRetryDelay);
        Assert.Equal(stored + 1, second.Record.Sequence);
        await _announcer.StopAsync(TestContext.Current.CancellationToken);
    }

    [Fact]
    public async Task Stopping_withdraws_and_nothing_follows()
    {
        SignedNodeRecord first = await StartAsync();
        await _announcer.StopAsync(TestContext.Current.CancellationToken);
        SignedNodeRecord tombstone = await _directory.NextAsync();
        Assert.True(tombstone.Record.Withdrawn);
        Assert.Empty(tombstone.Record.Serving);
        Assert.True(tombstone.Record.Sequence > first.Record.Sequence);
        await _announcer.AnnounceNowAsync(TestContext.Current.CancellationToken);
        Assert.False(_directory.TryNext(out _));
    }

    private async Task<SignedNodeRecord> StartAsync()
    {
        _endpoints.SetBound("https://127.0.0.1:5001", null);
        await _announcer.StartAsync(TestContext.Current.CancellationToken);
        return await _directory.NextAsync();
    }

    // Time goes on only once the announcer waits for it: how long it meant to wait is part of what is tested.
    private async Task<SignedNodeRecord> NextAfterAsync(TimeSpan delay)
    {
        TimeSpan waited = TimeSpan.Zero;
        while (waited < delay)
        {
            TimeSpan wait = await _time.Waits.ReadAsync(TestContext.Current.CancellationToken);
            waited += wait;
            _time.Advance(wait);
        }

        Assert.Equal(delay, waited);
        return await _directory.NextAsync();
    }

    /// <summary>A clock that tells what somebody begins to wait for.</summary>
    private sealed class WatchedClock(DateTimeOffset start) : FakeTimeProvider(start)
    {
        private readonly Channel<TimeSpan> _waits = Channel.CreateUnbounded<TimeSpan>();

        public ChannelReader<TimeSpan> Waits => _waits.Reader;

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
        {
            ITimer timer = base.CreateTimer(callback, state, dueTime, period);
            if (dueTime != Timeout.InfiniteTimeSpan)
                _waits.Writer.TryWrite(dueTime);
            return timer;
        }
    }

    private sealed class TestAnnouncer(NodeAnnouncerDependencies dependencies) : NodeAnnouncer(dependencies)
    {
        public string Model { get; set; } = "demo";

        public Func<NodeRecord, bool> News { get; set; } = _ => false;

        protected override bool HasNews(NodeRecord announced) => News(announced);

        protected override void Describe(NodeRecord record)
        {
            record.Role = NodeRole.Shard;
            record.Serving.Add(Samples.Served(Model));
        }
    }
}
