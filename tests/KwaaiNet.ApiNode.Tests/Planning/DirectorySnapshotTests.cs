using System.Runtime.CompilerServices;
using KwaaiNet.ApiNode.Planning;
using KwaaiNet.Protocol.Discovery;
using KwaaiNet.Protocol.Nodes;
using Microsoft.Extensions.Logging.Abstractions;

namespace KwaaiNet.ApiNode.Tests.Planning;

public sealed class DirectorySnapshotTests
{
    [Theory]
    [InlineData("Redis at redis:6379 cannot be used: OOM command not allowed.", "Discovery says: Redis at redis:6379 cannot be used: OOM command not allowed.")]
    [InlineData(null, "Discovery does not answer; check that it runs and that Node:Discovery names it.")]
    public async Task What_is_wrong_with_discovery_is_said_in_its_own_words_and_without_its_address(string? word, string trouble)
    {
        using NodeDirectoryView view = new(new BrokenDirectory(word), new NodeQuery(), TimeProvider.System, NullLogger<NodeDirectoryView>.Instance);
        DirectorySnapshot snapshot = new(view);
        await view.StartAsync(TestContext.Current.CancellationToken);
        await view.WaitUntilAsync(current => current.LossReason == word, TestContext.Current.CancellationToken);
        Assert.Equal(trouble, snapshot.Trouble);
        await view.StopAsync(TestContext.Current.CancellationToken);
    }

    private sealed class BrokenDirectory(string? word) : INodeDirectory
    {
        public Task AnnounceAsync(SignedNodeRecord record, CancellationToken cancellationToken = default) => throw new NotSupportedException();

        public Task WithdrawAsync(SignedNodeRecord tombstone, CancellationToken cancellationToken = default) => throw new NotSupportedException();

        public Task<IReadOnlyList<SignedNodeRecord>> LookupAsync(NodeQuery query, CancellationToken cancellationToken = default) => throw new NotSupportedException();

        public async IAsyncEnumerable<NodeChange> WatchAsync(NodeQuery query, [EnumeratorCancellation] CancellationToken cancellationToken = default)
        {
            await Task.FromException(new DirectoryUnavailableException("https://10.0.0.1:4000 is away") { Word = word });
            yield break;
        }
    }
}
