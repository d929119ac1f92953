using System.Collections.Concurrent;

namespace KwaaiNet.ApiNode.Generation;

/// <summary>The links to shards, one a node, made when first needed and again after one broke.</summary>
internal sealed class ShardLinks(IShardDialer dialer, TimeProvider time, ILoggerFactory loggers) : IAsyncDisposable
{
    private readonly ConcurrentDictionary<(string NodeId, string Endpoint), Lazy<ShardLink>> _links = new();

    /// <summary>A link that was whole a moment ago.</summary>
    public ShardLink Get(string nodeId, string endpoint)
    {
        while (true)
        {
            Lazy<ShardLink> entry = _links.GetOrAdd(
                (nodeId, endpoint),
                key => new Lazy<ShardLink>(() => new ShardLink(key.NodeId, key.Endpoint, dialer, time, loggers.CreateLogger<ShardLink>())));
            if (!entry.Value.IsBroken)
            {
                return entry.Value;
            }

            _links.TryRemove(new KeyValuePair<(string, string), Lazy<ShardLink>>((nodeId, endpoint), entry));
        }
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        foreach (Lazy<ShardLink> entry in _links.Values)
        {
            await entry.Value.DisposeAsync().ConfigureAwait(false);
        }
    }
}
