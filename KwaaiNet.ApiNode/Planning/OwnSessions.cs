using KwaaiNet.Protocol.Wire;

namespace KwaaiNet.ApiNode.Planning;

/// <summary>The sessions this API node has under way, by node. Safe for concurrent use.</summary>
/// <remarks>A node's record says every few seconds how many sessions it has; of our own we know at once, so that a burst does not herd onto the node that was idle before it.</remarks>
internal sealed class OwnSessions
{
    private readonly Lock _lock = new();
    private readonly Dictionary<string, Count> _counts = new(StringComparer.Ordinal);

    /// <summary>A session has ended, and its KV memory is given back. Handlers return at once.</summary>
    public event Action? Ended;

    /// <summary>A session is being opened on every node of a chain.</summary>
    public void Begin(ShardChain chain) => Change(chain, 1);

    /// <summary>It could not be opened.</summary>
    public void Cancel(ShardChain chain) => Change(chain, -1);

    /// <summary>It has been closed there.</summary>
    public void End(ShardChain chain)
    {
        Change(chain, -1);
        Ended?.Invoke();
    }

    /// <summary>Sessions opened on a node, less those closed, since its record was first seen here.</summary>
    public int Since(NodeRecord record)
    {
        lock (_lock)
        {
            if (!_counts.TryGetValue(record.NodeId, out Count count))
            {
                return 0;
            }

            if (count.Sequence != record.Sequence)
            {
                count = new Count(count.Now, record.Sequence, count.Now);
                Set(record.NodeId, count);
            }

            return count.Now - count.Then;
        }
    }

    private void Change(ShardChain chain, int by)
    {
        lock (_lock)
        {
            foreach (ChainHop hop in chain.Hops)
            {
                Count count = _counts.GetValueOrDefault(hop.NodeId, new Count(0, hop.Sequence, 0));
                Set(hop.NodeId, count with { Now = count.Now + by });
            }
        }
    }

    // A node without sessions that its record counts rightly need not be remembered.
    private void Set(string nodeId, Count count)
    {
        if (count is { Now: 0, Then: 0 })
        {
            _counts.Remove(nodeId);
        }
        else
        {
            _counts[nodeId] = count;
        }
    }

    private readonly record struct Count(int Now, ulong Sequence, int Then);
}
