using System.Runtime.CompilerServices;
using System.Threading.Channels;
using KwaaiNet.Protocol.Discovery;
using KwaaiNet.Protocol.Nodes;

namespace KwaaiNet.Protocol.Tests;

/// <summary>A directory whose every call is seen, and that can be away.</summary>
internal sealed class FakeDirectory : INodeDirectory
{
    private readonly Channel<SignedNodeRecord> _calls = Channel.CreateUnbounded<SignedNodeRecord>();
    private Channel<NodeChange> _watch = Channel.CreateUnbounded<NodeChange>();

    public volatile bool IsAway;

    public NodeRecordException? Refusal { get; set; }

    public ChannelWriter<NodeChange> Watchers => _watch.Writer;

    public ValueTask<SignedNodeRecord> NextAsync() => _calls.Reader.ReadAsync(TestContext.Current.CancellationToken);

    public bool TryNext(out SignedNodeRecord? record) => _calls.Reader.TryRead(out record);

    public void BreakWatch(string? word = null)
    {
        Channel<NodeChange> broken = _watch;
        _watch = Channel.CreateUnbounded<NodeChange>();
        broken.Writer.Complete(new DirectoryUnavailableException("broken") { Word = word });
    }

    public Task AnnounceAsync(SignedNodeRecord record, CancellationToken cancellationToken = default)
    {
        _calls.Writer.TryWrite(record);
        if (Refusal is { } refusal)
        {
            Refusal = null;
            throw refusal;
        }

        return IsAway ? throw new DirectoryUnavailableException("away") : Task.CompletedTask;
    }

    public Task WithdrawAsync(SignedNodeRecord tombstone, CancellationToken cancellationToken = default) => AnnounceAsync(tombstone, cancellationToken);

    public Task<IReadOnlyList<SignedNodeRecord>> LookupAsync(NodeQuery query, CancellationToken cancellationToken = default) => throw new NotSupportedException();

    public async IAsyncEnumerable<NodeChange> WatchAsync(NodeQuery query, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        await foreach (NodeChange change in _watch.Reader.ReadAllAsync(cancellationToken))
            yield return change;
    }
}
