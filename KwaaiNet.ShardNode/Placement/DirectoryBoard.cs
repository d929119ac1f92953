using KwaaiNet.Protocol.Blocks;
using KwaaiNet.Protocol.Discovery;
using KwaaiNet.Protocol.Nodes;
using KwaaiNet.Protocol.Wire;
using KwaaiNet.ShardNode.Announcing;
using KwaaiNet.ShardNode.Loading;
using KwaaiNet.ShardNode.Serving;

namespace KwaaiNet.ShardNode.Placement;

/// <summary>The directory as a placement board: other shards' records read, this node's record as its claim.</summary>
/// <param name="directory">The directory.</param>
/// <param name="announcer">Writes this node's record.</param>
/// <param name="serving">What the record says.</param>
/// <param name="network">The network's name.</param>
/// <param name="ownNodeId">This node.</param>
/// <param name="time">The clock of waits.</param>
/// <param name="logger">Hears when the directory cannot be reached.</param>
internal sealed partial class DirectoryBoard(
    INodeDirectory directory, ShardAnnouncer announcer, ShardServing serving, string network, string ownNodeId, TimeProvider time, ILogger logger)
    : IPlacementBoard
{
    private static readonly TimeSpan s_pause = TimeSpan.FromSeconds(1);
    private bool _unavailable;

    /// <inheritdoc/>
    public async Task<IReadOnlyList<Holding>> ReadAsync(CancellationToken cancellationToken)
    {
        OpenedModel model = serving.Model!;
        IReadOnlyList<SignedNodeRecord> records = await RetryAsync(
            token => directory.LookupAsync(new NodeQuery(network, model.Model), token), cancellationToken).ConfigureAwait(false);
        return [.. records.Where(record => record.NodeId != ownNodeId).SelectMany(record => Holdings(record, model))];
    }

    /// <inheritdoc/>
    public async Task ClaimAsync(BlockRange range, CancellationToken cancellationToken)
    {
        serving.Set(new HeldBlocks(ServingState.Joining, range, null));
        await RetryAsync(
            async token =>
            {
                await announcer.AnnounceNowAsync(token).ConfigureAwait(false);
                return true;
            },
            cancellationToken).ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public Task WaitAsync(CancellationToken cancellationToken) => Task.Delay(s_pause, time, cancellationToken);

    // A node that drains is on its way out: its blocks are as good as missing.
    private static IEnumerable<Holding> Holdings(SignedNodeRecord record, OpenedModel model) => record.Record.Serving
        .Where(served => served.Model == model.Model && served.WeightsHash == model.WeightsHash
            && served.BlockCount == model.Shape.BlockCount && (served.State is ServingState.Joining or ServingState.Ready))
        .Select(served => new Holding(
            record.NodeId,
            new BlockRange((int)served.FirstBlock, (int)served.EndBlock),
            served.State == ServingState.Ready,
            (int)served.Sessions));

    private async Task<T> RetryAsync<T>(Func<CancellationToken, Task<T>> action, CancellationToken cancellationToken)
    {
        while (true)
        {
            try
            {
                T result = await action(cancellationToken).ConfigureAwait(false);
                _unavailable = false;
                return result;
            }
            catch (Exception failure) when (failure is DirectoryUnavailableException or NodeRecordException)
            {
                if (!_unavailable) LogUnavailable(failure.Message);
                _unavailable = true;
                await WaitAsync(cancellationToken).ConfigureAwait(false);
            }
        }
    }

    [LoggerMessage(LogLevel.Warning, "Blocks cannot be chosen before discovery answers; trying again until it does. {Reason}")]
    private partial void LogUnavailable(string reason);
}
