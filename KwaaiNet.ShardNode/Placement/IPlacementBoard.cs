using KwaaiNet.Protocol.Blocks;

namespace KwaaiNet.ShardNode.Placement;

/// <summary>Where shards of one model read one another's claims and write their own.</summary>
internal interface IPlacementBoard
{
    /// <summary>Claims and services of the other nodes; this node's own record, also a stale one, is not among them.</summary>
    Task<IReadOnlyList<Holding>> ReadAsync(CancellationToken cancellationToken);

    /// <summary>Claims blocks (they are not loaded yet); done when the others can read it.</summary>
    Task ClaimAsync(BlockRange range, CancellationToken cancellationToken);

    /// <summary>Waits a while, until reading again may show something new.</summary>
    Task WaitAsync(CancellationToken cancellationToken);
}
