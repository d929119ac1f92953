using KwaaiNet.Protocol.Discovery;

namespace KwaaiNet.Discovery.Tests;

/// <summary>Reads a watch change by change; every wait has a generous end.</summary>
internal sealed class WatchReader : IAsyncDisposable
{
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(30);
    private readonly CancellationTokenSource _stop = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
    private readonly IAsyncEnumerator<NodeChange> _changes;

    private WatchReader(INodeDirectory directory, NodeQuery query) => _changes = directory.WatchAsync(query, _stop.Token).GetAsyncEnumerator(_stop.Token);

    public List<NodeChange> Snapshot { get; } = [];

    /// <summary>Begins a watch and reads its snapshot.</summary>
    public static async Task<WatchReader> StartAsync(INodeDirectory directory, NodeQuery query)
    {
        WatchReader reader = new(directory, query);
        while (await reader.NextAsync() is { Kind: not NodeChangeKind.SnapshotEnd } change)
            reader.Snapshot.Add(change);
        return reader;
    }

    public async Task<NodeChange> NextAsync()
    {
        Assert.True(await _changes.MoveNextAsync().AsTask().WaitAsync(s_patience, _stop.Token));
        return _changes.Current;
    }

    public async Task<NodeChange> UntilAsync(Func<NodeChange, bool> wanted)
    {
        NodeChange change;
        do
        {
            change = await NextAsync();
        }
        while (!wanted(change));
        return change;
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        try
        {
            await _changes.DisposeAsync();
        }
        catch (Exception error) when (error is OperationCanceledException or NotSupportedException)
        {
            // A read is still pending; it ends by the same token.
        }

        _stop.Dispose();
    }
}
