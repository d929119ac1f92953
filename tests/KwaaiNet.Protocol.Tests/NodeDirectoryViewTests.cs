using KwaaiNet.Protocol.Discovery;
using KwaaiNet.Protocol.Nodes;
using KwaaiNet.Protocol.Wire;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;

namespace KwaaiNet.Protocol.Tests;

public sealed class NodeDirectoryViewTests : IAsyncLifetime
{
    private readonly NodeIdentity _identity = NodeIdentity.Create();
    private readonly FakeTimeProvider _time = new(DateTimeOffset.UtcNow);
    private readonly FakeDirectory _directory = new();
    private readonly NodeDirectoryView _view;

    public NodeDirectoryViewTests() =>
        _view = new NodeDirectoryView(_directory, new NodeQuery(Network: "test"), _time, NullLogger<NodeDirectoryView>.Instance);

    public async ValueTask InitializeAsync()
    {
        _directory.Watchers.TryWrite(new NodeChange(NodeChangeKind.Announced, Signed(1)));
        _directory.Watchers.TryWrite(new NodeChange(NodeChangeKind.SnapshotEnd, null));
        await _view.StartAsync(TestContext.Current.CancellationToken);
        await UntilAsync(snapshot => snapshot.IsLive && snapshot.Records.Count == 1);
    }

    public async ValueTask DisposeAsync()
    {
        await _view.StopAsync(TestContext.Current.CancellationToken);
        _view.Dispose();
        _identity.Dispose();
    }

    [Fact]
    public async Task A_withdrawn_node_leaves_and_an_old_record_does_not_bring_it_back()
    {
        _directory.Watchers.TryWrite(new NodeChange(NodeChangeKind.Withdrawn, Signed(2, record => record.Withdrawn = true)));
        await UntilAsync(snapshot => snapshot.Records.IsEmpty);
    }

    [Fact]
    public async Task A_node_that_moves_to_another_network_leaves()
    {
        _directory.Watchers.TryWrite(new NodeChange(NodeChangeKind.Announced, Signed(2, record => record.Network = "other")));
        await UntilAsync(snapshot => snapshot.Records.IsEmpty);
    }

    [Fact]
    public async Task A_record_expires_by_the_view_s_own_clock_and_a_renewal_keeps_it()
    {
        _time.Advance(TimeSpan.FromSeconds(10));
        _directory.Watchers.TryWrite(new NodeChange(NodeChangeKind.Announced, Signed(2)));
        NodeDirectorySnapshot renewed = await UntilAsync(snapshot => snapshot.Records.Values.Single().Record.Sequence == 2);
        _time.Advance(TimeSpan.FromSeconds(10));
        Assert.Same(renewed, _view.Current);
        _time.Advance(TimeSpan.FromSeconds(6));
        await UntilAsync(snapshot => snapshot.Records.IsEmpty);
    }

    [Fact]
    public async Task A_lost_directory_ends_nobody_and_a_new_one_has_a_ttl_to_fill()
    {
        _directory.BreakWatch();
        await UntilAsync(snapshot => !snapshot.IsLive);
        _time.Advance(TimeSpan.FromMinutes(5));
        Assert.Single(_view.Current.Records);
        _directory.Watchers.TryWrite(new NodeChange(NodeChangeKind.SnapshotEnd, null));
        Task<NodeDirectorySnapshot> live = UntilAsync(snapshot => snapshot.IsLive);
        while (!live.IsCompleted)
        {
            _time.Advance(NodeDirectoryView.FirstRetryDelay);
            await Task.Yield();
        }

        Assert.Single((await live).Records);
        _time.Advance(TimeSpan.FromSeconds(16));
        await UntilAsync(snapshot => snapshot.Records.IsEmpty);
    }

    [Fact]
    public async Task Why_the_directory_is_lost_is_told_until_it_is_back()
    {
        _directory.BreakWatch("Redis is full.");
        Assert.Equal("Redis is full.", (await UntilAsync(snapshot => !snapshot.IsLive)).LossReason);
        _directory.Watchers.TryWrite(new NodeChange(NodeChangeKind.SnapshotEnd, null));
        Task<NodeDirectorySnapshot> live = UntilAsync(snapshot => snapshot.IsLive);
        while (!live.IsCompleted)
        {
            _time.Advance(NodeDirectoryView.FirstRetryDelay);
            await Task.Yield();
        }

        Assert.Null((await live).LossReason);
    }

    [Fact]
    public async Task A_directory_that_stays_lost_takes_its_records_with_it_in_the_end()
    {
        _directory.BreakWatch();
        await UntilAsync(snapshot => !snapshot.IsLive);
        _time.Advance(NodeDirectoryView.MaxLostTime - TimeSpan.FromSeconds(1));
        Assert.Single(_view.Current.Records);
        _time.Advance(TimeSpan.FromSeconds(2));
        await UntilAsync(snapshot => snapshot.Records.IsEmpty && !snapshot.IsLive);
    }

    [Fact]
    public async Task Handlers_hear_of_every_change()
    {
        TaskCompletionSource<NodeDirectorySnapshot> heard = new();
        _view.Changed += snapshot => heard.TrySetResult(snapshot);
        _directory.Watchers.TryWrite(new NodeChange(NodeChangeKind.Announced, Signed(7)));
        NodeDirectorySnapshot snapshot = await heard.Task.WaitAsync(TestContext.Current.CancellationToken);
        Assert.Equal(7ul, snapshot.Records.Values.Single().Record.Sequence);
    }

    private Task<NodeDirectorySnapshot> UntilAsync(Func<NodeDirectorySnapshot, bool> condition) =>
        _view.WaitUntilAsync(condition, TestContext.Current.CancellationToken).WaitAsync(TimeSpan.FromSeconds(30), TestContext.Current.CancellationToken);

    private SignedNodeRecord Signed(ulong sequence, Action<NodeRecord>? change = null)
    {
        NodeRecord record = Samples.Record(_identity, sequence);
        change?.Invoke(record);
        return SignedNodeRecord.Sign(record, _identity);
    }
}
