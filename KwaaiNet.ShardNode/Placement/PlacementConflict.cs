namespace KwaaiNet.ShardNode.Placement;

/// <summary>Who gives way when two shards hold the same blocks without meaning to. Pure; both sides come to the same answer.</summary>
internal static class PlacementConflict
{
    /// <summary>Whether a claim (JOINING) of this node must give way: to whoever is ready, and to a claim of a smaller node id.</summary>
    public static bool LosesClaim(string ownNodeId, PlacementDecision own, IReadOnlyCollection<Holding> others) =>
        !own.IsRedundant && others.Any(other => other.Range.Overlaps(own.Range) && (other.IsReady || IsBefore(other.NodeId, ownNodeId)));

    /// <summary>
    /// Whether a claim of this node beside others must give way: without the claims of larger node ids on the same blocks, which look
    /// elsewhere themselves, other blocks have fewer holders. Spares that start at the same moment would otherwise all join the first part.
    /// </summary>
    public static bool LosesRedundantClaim(string ownNodeId, PlacementDecision own, PlacementRules rules, IReadOnlyCollection<Holding> others) =>
        own.IsRedundant && PlacementChoice.HasLonelier(
            rules, own.Range, [.. others.Where(other => other.IsReady || !other.Range.Overlaps(own.Range) || IsBefore(other.NodeId, ownNodeId))]);

    /// <summary>Whether this node, ready, must give way to one that became ready at the same time: to the smaller node id.</summary>
    public static bool LosesReady(string ownNodeId, PlacementDecision own, IReadOnlyCollection<Holding> rivals) =>
        !own.IsRedundant && rivals.Any(rival => rival.Range.Overlaps(own.Range) && rival.IsReady && IsBefore(rival.NodeId, ownNodeId));

    /// <summary>Whether this node, ready beside others, must give way to one that became ready at the same time: as <see cref="LosesRedundantClaim"/>, the larger node id goes.</summary>
    public static bool LosesRedundantReady(string ownNodeId, PlacementDecision own, PlacementRules rules, IReadOnlyCollection<Holding> others) =>
        own.IsRedundant && PlacementChoice.HasLonelier(
            rules, own.Range, [.. others.Where(other => !other.Range.Overlaps(own.Range) || IsBefore(other.NodeId, ownNodeId))]);

    /// <summary>How many others with larger node ids, which are asked to give way first, hold some of the same blocks.</summary>
    public static int CountAfter(string ownNodeId, PlacementDecision own, IReadOnlyCollection<Holding> others) =>
        others.Count(other => other.Range.Overlaps(own.Range) && IsBefore(ownNodeId, other.NodeId));

    /// <summary>
    /// Whether this node should leave its blocks for a gap: something is missing, and all it holds stays served without it.
    /// Of several that could go, the one with the smallest node id stays, unless another cannot go because it has sessions.
    /// </summary>
    public static bool ShouldMove(string ownNodeId, Holding own, PlacementRules rules, IReadOnlyCollection<Holding> others)
    {
        if (own.Sessions > 0 || !PlacementChoice.HasGap(rules, [own, .. others])) return false;

        List<Holding> staying = [.. others.Where(other => other.IsReady && (other.Sessions > 0 || IsBefore(other.NodeId, ownNodeId)))];
        for (int block = own.Range.First; block < own.Range.End; block++)
        {
            if (!staying.Exists(other => other.Range.First <= block && block < other.Range.End)) return false;
        }

        return true;
    }

    private static bool IsBefore(string nodeId, string other) => string.CompareOrdinal(nodeId, other) < 0;
}
