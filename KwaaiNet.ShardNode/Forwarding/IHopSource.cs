using KwaaiNet.Protocol.Wire;

namespace KwaaiNet.ShardNode.Forwarding;

/// <summary>Makes hops, one for each neighbour, shared by the sessions that use it. Used by one loop only.</summary>
internal interface IHopSource : IAsyncDisposable
{
    /// <summary>The hop to a node; connecting starts at once, so that the first step finds the stream there.</summary>
    IHop Acquire(Hop hop);

    /// <summary>A session no longer uses the hop. It stays connected for the next one.</summary>
    void Release(IHop hop);
}
