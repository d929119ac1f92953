using KwaaiNet.Protocol.Discovery;
using KwaaiNet.Protocol.Nodes;

namespace KwaaiNet.Discovery.Tests;

/// <summary>What every discovery backend must do. A backend's own class says only how to get one.</summary>
[Trait("Category", "DiscoveryConformance")]
public abstract class DirectoryConformance : IDisposable
{
    // Nodes of one run do not meet those of another, whatever the backend remembers.
    private readonly string _network = $"test-{Guid.NewGuid():N}";
    private readonly TestIdentity _node = new();

    /// <summary>The backend under test.</summary>
    protected abstract INodeDirectory Directory { get; }

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public void Dispose()
    {
        _node.Dispose();
        GC.SuppressFinalize(this);
    }

    [Fact]
    public async Task An_announced_record_is_found_as_it_was_signed()
    {
        SignedNodeRecord record = _node.Next(_network);
        await Directory.AnnounceAsync(record, Cancel);
        SignedNodeRecord found = Assert.Single(await Directory.LookupAsync(new NodeQuery(_network), Cancel));
        Assert.Equal(record.Wire, found.Wire);
    }

    [Fact]
    public async Task Filters_select_by_network_model_and_node()
    {
        using TestIdentity other = new();
        using TestIdentity elsewhere = new();
        await Directory.AnnounceAsync(_node.Next(_network, "one"), Cancel);
        await Directory.AnnounceAsync(other.Next(_network, "two", change: record => record.Serving.Add(TestIdentity.Served("three", 0, 8))), Cancel);
        await Directory.AnnounceAsync(elsewhere.Next(_network + "x", "one"), Cancel);
        Assert.Equal(Sorted(_node, other), await IdsAsync(new NodeQuery(_network)));
        Assert.Equal(Sorted(_node), await IdsAsync(new NodeQuery(_network, Model: "one")));
        Assert.Equal(Sorted(other), await IdsAsync(new NodeQuery(_network, Model: "three")));
        Assert.Equal(Sorted(elsewhere), await IdsAsync(new NodeQuery(_network + "x")));
        Assert.Equal(Sorted(elsewhere), await IdsAsync(new NodeQuery(NodeId: elsewhere.NodeId)));
        Assert.Empty(await IdsAsync(new NodeQuery(_network, NodeId: elsewhere.NodeId)));
        Assert.Empty(await IdsAsync(new NodeQuery(_network, Model: "four")));
    }

    [Fact]
    public async Task The_same_record_again_is_fine_and_an_older_one_is_refused()
    {
        SignedNodeRecord first = _node.Next(_network);
        SignedNodeRecord second = _node.Next(_network, "newer");
        await Directory.AnnounceAsync(second, Cancel);
        await Directory.AnnounceAsync(second, Cancel);
        NodeRecordException error = await Assert.ThrowsAsync<NodeRecordException>(() => Directory.AnnounceAsync(first, Cancel));
        Assert.Contains("sequence", error.Message, StringComparison.Ordinal);
        Assert.Equal(second.Record.Sequence, error.StoredSequence);
        SignedNodeRecord twin = _node.Next(_network, "other", change: record => record.Sequence = second.Record.Sequence);
        await Assert.ThrowsAsync<NodeRecordException>(() => Directory.AnnounceAsync(twin, Cancel));
        Assert.Equal(second.Wire, Assert.Single(await Directory.LookupAsync(new NodeQuery(_network), Cancel)).Wire);
    }

    [Fact]
    public async Task Sequences_are_compared_in_all_their_64_bits()
    {
        ulong high = ulong.MaxValue - 1;
        await Directory.AnnounceAsync(_node.Next(_network, change: record => record.Sequence = high), Cancel);
        await Assert.ThrowsAsync<NodeRecordException>(() => Directory.AnnounceAsync(_node.Next(_network, change: record => record.Sequence = high - 1), Cancel));
        await Directory.AnnounceAsync(_node.Next(_network, change: record => record.Sequence = ulong.MaxValue), Cancel);
    }

    [Fact]
    public async Task A_record_that_was_issued_long_ago_is_refused() =>
        await Assert.ThrowsAsync<NodeRecordException>(
            () => Directory.AnnounceAsync(_node.Next(_network, change: record => record.IssuedUnixMs -= 3_600_000), Cancel));

    [Fact]
    public async Task A_record_and_a_tombstone_have_doors_of_their_own()
    {
        await Assert.ThrowsAsync<NodeRecordException>(() => Directory.AnnounceAsync(_node.Next(_network, withdrawn: true), Cancel));
        await Assert.ThrowsAsync<NodeRecordException>(() => Directory.WithdrawAsync(_node.Next(_network), Cancel));
    }

    [Fact]
    public async Task A_record_that_is_not_renewed_expires()
    {
        await using WatchReader watch = await WatchReader.StartAsync(Directory, new NodeQuery(_network));
        SignedNodeRecord record = _node.Next(_network, ttl: 300);
        await Directory.AnnounceAsync(record, Cancel);
        Assert.Equal(NodeChangeKind.Announced, (await watch.NextAsync()).Kind);
        NodeChange expired = await watch.NextAsync();
        Assert.Equal(NodeChangeKind.Expired, expired.Kind);
        Assert.Equal(record.Wire, expired.Record!.Wire);
        Assert.Empty(await Directory.LookupAsync(new NodeQuery(_network), Cancel));
        // A copy of the record that comes late does not bring the node back; its own next record does.
        await Assert.ThrowsAsync<NodeRecordException>(() => Directory.AnnounceAsync(record, Cancel));
        await Directory.AnnounceAsync(_node.Next(_network), Cancel);
        Assert.Equal(NodeChangeKind.Announced, (await watch.NextAsync()).Kind);
    }

    [Fact]
    public async Task A_renewed_record_outlives_its_first_ttl()
    {
        using TestIdentity shortLived = new();
        await using WatchReader watch = await WatchReader.StartAsync(Directory, new NodeQuery(_network));
        await Directory.AnnounceAsync(_node.Next(_network, ttl: 400), Cancel);
        await Directory.AnnounceAsync(_node.Next(_network, ttl: 30_000), Cancel);
        await Directory.AnnounceAsync(shortLived.Next(_network, ttl: 800), Cancel);
        // When the other one is gone, the first ttl is long over. (A machine too busy to renew in time sees the first record expire and the second come.)
        await watch.UntilAsync(change => change.Kind == NodeChangeKind.Expired && change.Record!.NodeId == shortLived.NodeId);
        Assert.Equal(Sorted(_node), await IdsAsync(new NodeQuery(_network)));
    }

    [Fact]
    public async Task A_withdrawn_node_is_gone_at_once_and_stays_gone()
    {
        SignedNodeRecord late = _node.Next(_network);
        SignedNodeRecord record = _node.Next(_network);
        SignedNodeRecord tombstone = _node.Next(_network, withdrawn: true);
        await using WatchReader watch = await WatchReader.StartAsync(Directory, new NodeQuery(_network));
        await Directory.AnnounceAsync(record, Cancel);
        await Directory.WithdrawAsync(tombstone, Cancel);
        Assert.Empty(await Directory.LookupAsync(new NodeQuery(_network), Cancel));
        await Directory.WithdrawAsync(tombstone, Cancel);
        await Assert.ThrowsAsync<NodeRecordException>(() => Directory.AnnounceAsync(late, Cancel));
        await Assert.ThrowsAsync<NodeRecordException>(() => Directory.AnnounceAsync(record, Cancel));
        Assert.Equal(NodeChangeKind.Announced, (await watch.NextAsync()).Kind);
        NodeChange withdrawn = await watch.NextAsync();
        Assert.Equal(NodeChangeKind.Withdrawn, withdrawn.Kind);
        Assert.Equal(tombstone.Wire, withdrawn.Record!.Wire);
        await Directory.AnnounceAsync(_node.Next(_network), Cancel);
        Assert.Equal(NodeChangeKind.Announced, (await watch.NextAsync()).Kind);
    }

    [Fact]
    public async Task A_watch_tells_what_is_there_and_then_what_changes()
    {
        using TestIdentity second = new();
        using TestIdentity elsewhere = new();
        SignedNodeRecord record = _node.Next(_network);
        await Directory.AnnounceAsync(record, Cancel);
        await using WatchReader watch = await WatchReader.StartAsync(Directory, new NodeQuery(_network));
        Assert.Equal(record.Wire, Assert.Single(watch.Snapshot).Record!.Wire);
        await Directory.AnnounceAsync(elsewhere.Next(_network + "x"), Cancel);
        await Directory.AnnounceAsync(second.Next(_network), Cancel);
        Assert.Equal(second.NodeId, (await watch.NextAsync()).Record!.NodeId);
        SignedNodeRecord renewed = _node.Next(_network);
        await Directory.AnnounceAsync(renewed, Cancel);
        Assert.Equal(renewed.Wire, (await watch.NextAsync()).Record!.Wire);
    }

    [Fact]
    public async Task A_node_that_turns_to_another_model_is_shown_once_more()
    {
        await Directory.AnnounceAsync(_node.Next(_network, "one"), Cancel);
        await using WatchReader watch = await WatchReader.StartAsync(Directory, new NodeQuery(_network, Model: "one"));
        Assert.Single(watch.Snapshot);
        await Directory.AnnounceAsync(_node.Next(_network, "two"), Cancel);
        NodeChange change = await watch.NextAsync();
        Assert.Equal((NodeChangeKind.Announced, "two"), (change.Kind, change.Record!.Record.Serving[0].Model));
    }

    [Fact]
    public async Task Many_watchers_see_the_same()
    {
        WatchReader[] watches = await Task.WhenAll(Enumerable.Range(0, 25).Select(_ => WatchReader.StartAsync(Directory, new NodeQuery(_network))));
        SignedNodeRecord record = _node.Next(_network);
        await Directory.AnnounceAsync(record, Cancel);
        await Directory.WithdrawAsync(_node.Next(_network, withdrawn: true), Cancel);
        foreach (WatchReader watch in watches)
        {
            Assert.Equal(record.Wire, (await watch.NextAsync()).Record!.Wire);
            Assert.Equal(NodeChangeKind.Withdrawn, (await watch.NextAsync()).Kind);
            await watch.DisposeAsync();
        }
    }

    [Fact]
    public async Task Two_hundred_nodes_come_at_once()
    {
        TestIdentity[] nodes = [.. Enumerable.Range(0, 200).Select(_ => new TestIdentity())];
        await using WatchReader watch = await WatchReader.StartAsync(Directory, new NodeQuery(_network));
        await Parallel.ForEachAsync(nodes, Cancel, async (node, cancel) => await Directory.AnnounceAsync(node.Next(_network), cancel));
        Assert.Equal(Sorted(nodes), await IdsAsync(new NodeQuery(_network)));
        HashSet<string> seen = [];
        while (seen.Count < nodes.Length)
            seen.Add((await watch.NextAsync()).Record!.NodeId);
        foreach (TestIdentity node in nodes)
            node.Dispose();
    }

    [Fact]
    public async Task Concurrent_records_of_one_node_leave_the_highest()
    {
        SignedNodeRecord[] records = [.. Enumerable.Range(0, 40).Select(_ => _node.Next(_network))];
        await Parallel.ForEachAsync(records, Cancel, async (record, cancel) =>
        {
            try
            {
                await Directory.AnnounceAsync(record, cancel);
            }
            catch (NodeRecordException refused)
            {
                // Which ones come too late is chance; none may be refused but for a higher one.
                Assert.True(refused.StoredSequence > record.Record.Sequence, refused.Message);
            }
        });
        Assert.Equal(records[^1].Wire, Assert.Single(await Directory.LookupAsync(new NodeQuery(_network), Cancel)).Wire);
    }

    [Fact]
    public async Task A_cancelled_watch_and_call_end()
    {
        using CancellationTokenSource stop = CancellationTokenSource.CreateLinkedTokenSource(Cancel);
        TaskCompletionSource started = new();
        Task watching = Task.Run(async () =>
        {
            await foreach (NodeChange change in Directory.WatchAsync(new NodeQuery(_network), stop.Token))
                started.TrySetResult();
        }, Cancel);
        await started.Task.WaitAsync(TimeSpan.FromSeconds(30), Cancel);
        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => watching.WaitAsync(TimeSpan.FromSeconds(30), Cancel));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => Directory.LookupAsync(new NodeQuery(_network), stop.Token));
    }

    private async Task<string[]> IdsAsync(NodeQuery query) =>
        [.. (await Directory.LookupAsync(query, Cancel)).Select(record => record.NodeId).Order(StringComparer.Ordinal)];

    private static string[] Sorted(params TestIdentity[] nodes) => [.. nodes.Select(node => node.NodeId).Order(StringComparer.Ordinal)];
}
