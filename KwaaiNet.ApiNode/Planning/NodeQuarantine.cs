using System.Collections.Concurrent;
using System.Collections.Immutable;
using KwaaiNet.ApiNode.Configuration;
using Microsoft.Extensions.Options;

namespace KwaaiNet.ApiNode.Planning;

/// <summary>Nodes that failed a moment ago. A killed node's record lives on for its ttl; the next request must not find the failure again.</summary>
internal sealed class NodeQuarantine(IOptions<ApiOptions> options, TimeProvider time)
{
    private readonly ConcurrentDictionary<string, long> _since = new(StringComparer.Ordinal);

    /// <summary>The nodes to avoid now.</summary>
    public ImmutableHashSet<string> Nodes
    {
        get
        {
            if (_since.IsEmpty)
            {
                return [];
            }

            TimeSpan limit = TimeSpan.FromSeconds(options.Value.QuarantineSeconds);
            ImmutableHashSet<string>.Builder nodes = ImmutableHashSet.CreateBuilder<string>(StringComparer.Ordinal);
            foreach (KeyValuePair<string, long> entry in _since)
            {
                if (time.GetElapsedTime(entry.Value) < limit)
                {
                    nodes.Add(entry.Key);
                }
                else
                {
                    _since.TryRemove(entry);
                }
            }

            return nodes.ToImmutable();
        }
    }

    /// <summary>Notes that a node failed now.</summary>
    public void Add(string nodeId) => _since[nodeId] = time.GetTimestamp();
}
