namespace KwaaiNet.ShardNode.Sessions;

/// <summary>What bounds sessions here.</summary>
/// <param name="OwnNodeId">This node's did:key.</param>
/// <param name="MaxSessions">Sessions open at once.</param>
/// <param name="TimeToLive">How long a session may lie idle.</param>
/// <param name="MaxOwnerSessions">Sessions one node may have open at once; null: so many times what is free, and so never all of them.</param>
internal sealed record SessionLimits(string OwnNodeId, int MaxSessions, TimeSpan TimeToLive, int? MaxOwnerSessions = null)
{
    // Dynamic thresholds (Choudhury, Hahne 1998): alone, a node may have 7/8 of all; two that want everything 7/15 each. What is left is there for whoever comes.
    private const int TimesFree = 7;

    /// <summary>Sessions one node may have while so many are open in all.</summary>
    public int OwnerSessions(int open) => MaxOwnerSessions ?? Math.Max(1, TimesFree * (MaxSessions - open));
}
