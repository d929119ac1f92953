namespace KwaaiNet.ShardNode.Sessions;

/// <summary>What bounds sessions here.</summary>
/// <param name="OwnNodeId">This node's did:key.</param>
/// <param name="MaxSessions">Sessions open at once.</param>
/// <param name="TimeToLive">How long a session may lie idle.</param>
internal sealed record SessionLimits(string OwnNodeId, int MaxSessions, TimeSpan TimeToLive);
