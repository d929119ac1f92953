using KwaaiNet.Protocol.Blocks;
using KwaaiNet.Protocol.Discovery;
using KwaaiNet.Protocol.Nodes;
using KwaaiNet.Protocol.Wire;
using KwaaiNet.ShardNode.Announcing;
using KwaaiNet.ShardNode.Loading;
using KwaaiNet.ShardNode.Serving;

namespace KwaaiNet.ShardNode.Placement;

/// <summary>The directory as a placement board: other shards' records read, this node's record as its claim.</summary>
/// <param name="view">The directory's records of this model, kept by one watch.</param>
/// <param name="announcer">Writes this node's record.</param>
/// <param name="serving">What the record says.</param>
/// <param name="ownNodeId">This node.</param>
/// <param name="time">The clock of waits.</param>
/// <param name="logger">Hears when the directory cannot be reached.</param>
internal sealed partial class DirectoryBoard(
    NodeDirectoryView view, ShardAnnouncer announcer, ShardServing serving, string ownNodeId, TimeProvider time, ILogger logger)
    : IPlacementBoard
{
    private static readonly TimeSpan s_pause = TimeSpan.FromSeconds(1);
    private bool _unavailable;

    /// <summary>Whether the directory is being watched right now.</summary>
    public bool IsReachable => view.Current.IsLive;

    /// <inheritdoc/>
    /// <remarks>
    /// Waits until the watch shows what this node wrote last. A watch tells changes in one order, so whoever wrote before this node did is
    /// in what it reads, and whoever wrote after it finds this node: a claim cannot be missed by both.
    /// </remarks>
    public async Task<IReadOnlyList<Holding>> ReadAsync(CancellationToken cancellationToken)
    {
        OpenedModel model = serving.Model!;
        ulong written = announcer.Announced is { } own && own.Record.Serving.Any(served => served.Model == model.Model) ? own.Record.Sequence : 0;
        NodeDirectorySnapshot seen = view.Current;
        if (!Shows(seen, written))
        {
            if (!seen.IsLive) SayUnavailable("The directory is not being watched.");
            seen = await view.WaitUntilAsync(snapshot => Shows(snapshot, written), cancellationToken).ConfigureAwait(false);
        }

        _unavailable = false;
        return [.. seen.Records.Values.Where(record => record.NodeId != ownNodeId).SelectMany(record => Holdings(record, model))];
    }

    /// <inheritdoc/>
    public async Task ClaimAsync(BlockRange range, CancellationToken cancellationToken)
    {
        serving.Set(new HeldBlocks(ServingState.Joining, range, null));
        while (true)
        {
            try
            {
                await announcer.AnnounceNowAsync(cancellationToken).ConfigureAwait(false);
                return;
            }
            catch (Exception failure) when (failure is DirectoryUnavailableException or NodeRecordException)
            {
                SayUnavailable(failure.Message);
                await WaitAsync(cancellationToken).ConfigureAwait(false);
            }
        }
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

    private bool Shows(NodeDirectorySnapshot snapshot, ulong written) => snapshot.IsLive
        && (written == 0 || (snapshot.Records.TryGetValue(ownNodeId, out SignedNodeRecord? own) && own.Record.Sequence >= written));

    private void SayUnavailable(string reason)
    {
        if (!_unavailable) LogUnavailable(reason);
        _unavailable = true;
    }

    [LoggerMessage(LogLevel.Warning, "Blocks cannot be chosen before discovery answers; trying again until it does. {Reason}")]
    private partial void LogUnavailable(string reason);
}
