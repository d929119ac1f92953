using System.Collections.Immutable;

namespace KwaaiNet.ApiNode.Planning;

/// <summary>Nodes, or single ways to them, that a chain must not use. Immutable.</summary>
/// <remarks>A failure belongs to the process that failed: a node that has started again since is not avoided for it.</remarks>
internal sealed class AvoidedNodes
{
    // The key of a node that is avoided wherever it answers.
    private const string Everywhere = "";

    private readonly ImmutableDictionary<(string NodeId, string Endpoint), long> _started;

    private AvoidedNodes(ImmutableDictionary<(string NodeId, string Endpoint), long> started) => _started = started;

    /// <summary>None.</summary>
    public static AvoidedNodes None { get; } = new(ImmutableDictionary<(string NodeId, string Endpoint), long>.Empty);

    /// <summary>Whether there are none.</summary>
    public bool IsEmpty => _started.IsEmpty;

    /// <summary>These and a node, by whichever endpoint.</summary>
    /// <param name="nodeId">The node's did:key.</param>
    /// <param name="startedUnixMs">When the process that failed had started; 0: not known.</param>
    public AvoidedNodes With(string nodeId, long startedUnixMs) => With(nodeId, Everywhere, startedUnixMs);

    /// <summary>These and one endpoint of a node: the others may still reach it.</summary>
    /// <param name="nodeId">The node's did:key.</param>
    /// <param name="endpoint">Where it could not be reached.</param>
    /// <param name="startedUnixMs">When the process that failed had started; 0: not known.</param>
    public AvoidedNodes With(string nodeId, string endpoint, long startedUnixMs) => new(
        // Of a process whose start is not known nothing can be newer.
        _started.SetItem((nodeId, endpoint), startedUnixMs > 0 ? startedUnixMs : long.MaxValue));

    /// <summary>These and others.</summary>
    public AvoidedNodes With(AvoidedNodes others)
    {
        if (others.IsEmpty || IsEmpty)
        {
            return IsEmpty ? others : this;
        }

        // Of two failures of one node the newer process counts.
        ImmutableDictionary<(string NodeId, string Endpoint), long>.Builder started = _started.ToBuilder();
        foreach (((string NodeId, string Endpoint) way, long at) in others._started)
        {
            started[way] = Math.Max(at, started.GetValueOrDefault(way));
        }

        return new(started.ToImmutable());
    }

    /// <summary>Whether a node must not be reached by an endpoint.</summary>
    /// <param name="nodeId">The node's did:key.</param>
    /// <param name="endpoint">One of its endpoints.</param>
    /// <param name="startedUnixMs">When it says it started; 0: it does not say.</param>
    public bool Contains(string nodeId, string endpoint, long startedUnixMs) =>
        IsOf((nodeId, Everywhere), startedUnixMs) || IsOf((nodeId, endpoint), startedUnixMs);

    private bool IsOf((string NodeId, string Endpoint) way, long startedUnixMs) =>
        _started.TryGetValue(way, out long failed) && startedUnixMs <= failed;
}
