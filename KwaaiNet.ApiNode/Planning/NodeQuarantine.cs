using System.Collections.Concurrent;
using KwaaiNet.ApiNode.Configuration;
using Microsoft.Extensions.Options;

namespace KwaaiNet.ApiNode.Planning;

/// <summary>Nodes that failed a moment ago. A killed node's record lives on for its ttl; the next request must not find the failure again.</summary>
/// <remarks>It ends with its time, or as soon as the node says that it has started again.</remarks>
internal sealed class NodeQuarantine(IOptions<ApiOptions> options, TimeProvider time)
{
    private readonly ConcurrentDictionary<(string NodeId, string? Endpoint), (long Since, long StartedUnixMs)> _failed = new();

    /// <summary>The nodes to avoid now.</summary>
    public AvoidedNodes Nodes
    {
        get
        {
            AvoidedNodes nodes = AvoidedNodes.None;
            TimeSpan limit = TimeSpan.FromSeconds(options.Value.QuarantineSeconds);
            foreach (KeyValuePair<(string NodeId, string? Endpoint), (long Since, long StartedUnixMs)> entry in _failed)
            {
                if (time.GetElapsedTime(entry.Value.Since) >= limit)
                {
                    _failed.TryRemove(entry);
                }
                else
                {
                    nodes = entry.Key.Endpoint is { } endpoint
                        ? nodes.With(entry.Key.NodeId, endpoint, entry.Value.StartedUnixMs)
                        : nodes.With(entry.Key.NodeId, entry.Value.StartedUnixMs);
                }
            }

            return nodes;
        }
    }

    /// <summary>Notes that a node failed now.</summary>
    /// <param name="hop">The node as it was planned.</param>
    /// <param name="whole">Whether the node is at fault, and not only the way to it.</param>
    public void Add(ChainHop hop, bool whole) => _failed[(hop.NodeId, whole ? null : hop.Endpoint)] = (time.GetTimestamp(), hop.StartedUnixMs);
}
