namespace KwaaiNet.Protocol.Discovery;

/// <summary>Which records a reader wants; null fields do not filter.</summary>
/// <param name="Network">The network's name.</param>
/// <param name="Model">Only nodes that serve (or are loading) blocks of this model.</param>
/// <param name="NodeId">Only this node.</param>
public sealed record NodeQuery(string? Network = null, string? Model = null, string? NodeId = null);
