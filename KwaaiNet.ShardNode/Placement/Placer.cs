namespace KwaaiNet.ShardNode.Placement;

/// <summary>Takes blocks such that several shards, started in any order or at the same moment, do not take the same ones.</summary>
/// <remarks>
/// Claim, then look: whoever writes first and reads second cannot miss, and be missed by, another who does the same.
/// <list type="number">
/// <item>Read what others hold and claim; choose; claim it.</item>
/// <item>Read again. A conflict is lost by the claim against the ready shard, and among claims by the larger node id; the loser chooses again.</item>
/// <item>Keep reading while loading (<see cref="WatchUntilLostAsync"/>), and once more before being announced ready (<see cref="StillHoldsAsync"/>).</item>
/// <item>Ready, read once more (<see cref="ConfirmAsync"/>): a rival that passed its own last look before this node's announcement is
/// either ready by now or will be, and the larger node id of the two goes. Of replicas too many on the same blocks the largest node id
/// goes first; each other one waits a look for every larger one before it goes itself, since who has settled does not move any more.</item>
/// </list>
/// </remarks>
internal sealed class Placer(string ownNodeId, PlacementRules rules, IPlacementBoard board)
{
    /// <summary>Chooses blocks and claims them.</summary>
    public async Task<PlacementDecision> ClaimAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            PlacementDecision decision = PlacementChoice.Choose(rules, await board.ReadAsync(cancellationToken).ConfigureAwait(false));
            await board.ClaimAsync(decision.Range, cancellationToken).ConfigureAwait(false);
            if (await StillHoldsAsync(decision, cancellationToken).ConfigureAwait(false)) return decision;
        }
    }

    /// <summary>Whether the claim has not been lost.</summary>
    public async Task<bool> StillHoldsAsync(PlacementDecision decision, CancellationToken cancellationToken)
    {
        IReadOnlyList<Holding> others = await board.ReadAsync(cancellationToken).ConfigureAwait(false);
        return !PlacementConflict.LosesClaim(ownNodeId, decision, others) && !PlacementConflict.LosesRedundantClaim(ownNodeId, decision, rules, others);
    }

    /// <summary>Reads from time to time; done when the claim is lost.</summary>
    public async Task WatchUntilLostAsync(PlacementDecision decision, CancellationToken cancellationToken)
    {
        do
        {
            await board.WaitAsync(cancellationToken).ConfigureAwait(false);
        }
        while (await StillHoldsAsync(decision, cancellationToken).ConfigureAwait(false));
    }

    /// <summary>After this node was announced ready: whether it may stay. Waits until rivals that were loading the same blocks have gone or are ready.</summary>
    public async Task<bool> ConfirmAsync(PlacementDecision decision, CancellationToken cancellationToken)
    {
        // Only who is there now can be a rival; who comes later has read that these blocks are served and joins them on purpose.
        HashSet<string>? rivals = null;
        int looks = 0;
        while (true)
        {
            IReadOnlyList<Holding> others = await board.ReadAsync(cancellationToken).ConfigureAwait(false);
            if (decision.IsRedundant)
            {
                if (PlacementConflict.LosesRedundantReady(ownNodeId, decision, rules, others)) return false;

                // Whoever is loading, here or elsewhere, may yet change which blocks have the fewest holders.
                rivals = [.. others.Where(other => !other.IsReady && rivals?.Contains(other.NodeId) != false).Select(other => other.NodeId)];
                if (rivals.Count == 0)
                {
                    // A larger node id that was to give way may have been settled before this node came: then it stays, and this one goes.
                    if (!PlacementChoice.HasLonelier(rules, decision.Range, others)) return true;
                    if (looks++ >= PlacementConflict.CountAfter(ownNodeId, decision, others)) return false;
                }

                await board.WaitAsync(cancellationToken).ConfigureAwait(false);
                continue;
            }

            List<Holding> overlapping = [.. others.Where(other => other.Range.Overlaps(decision.Range) && rivals?.Contains(other.NodeId) != false)];
            if (PlacementConflict.LosesReady(ownNodeId, decision, overlapping)) return false;

            rivals = [.. overlapping.Where(other => !other.IsReady).Select(other => other.NodeId)];
            if (rivals.Count == 0) return true;

            await board.WaitAsync(cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>Reads from time to time; done when blocks are missing that this node should go and serve.</summary>
    /// <param name="own">What this node holds now, with its sessions.</param>
    /// <param name="patience">How many readings in a row must agree: a node that restarts is back after a few.</param>
    /// <param name="cancellationToken">Stops waiting.</param>
    public async Task WatchUntilNeededElsewhereAsync(Func<Holding> own, int patience, CancellationToken cancellationToken)
    {
        for (int seen = 0; seen < patience;)
        {
            await board.WaitAsync(cancellationToken).ConfigureAwait(false);
            IReadOnlyList<Holding> others = await board.ReadAsync(cancellationToken).ConfigureAwait(false);
            seen = PlacementConflict.ShouldMove(ownNodeId, own(), rules, others) ? seen + 1 : 0;
        }
    }
}
