using System.Collections.Immutable;
using KwaaiNet.ApiNode.Planning;
using KwaaiNet.Protocol.Sessions;

namespace KwaaiNet.ApiNode.Prefixes;

/// <summary>Which chain last computed which page: where a conversation goes on without computing it anew. Safe for concurrent use.</summary>
/// <remarks>A memory of what was, bounded by forgetting the pages used longest ago. The shards say what they have when a session is opened.</remarks>
/// <param name="most">Pages remembered at most.</param>
internal sealed class PageHolders(int most = PageHolders.DefaultMost)
{
    /// <summary>Pages remembered: four million positions, some ten MB.</summary>
    public const int DefaultMost = 65_536;

    private readonly Lock _lock = new();
    private readonly Dictionary<PageHash, LinkedListNode<(PageHash Page, ImmutableArray<ChainHop> Hops)>> _pages = [];
    private readonly LinkedList<(PageHash Page, ImmutableArray<ChainHop> Hops)> _byUse = [];

    /// <summary>A chain holds a conversation's first pages now.</summary>
    public void Add(ImmutableArray<ChainHop> hops, PageHashChain hashes, int count)
    {
        lock (_lock)
        {
            // From the last to the first: a beginning is of use to more conversations than what follows it, and is forgotten after it.
            for (int page = count - 1; page >= 0; page--)
            {
                if (_pages.Remove(hashes[page], out LinkedListNode<(PageHash Page, ImmutableArray<ChainHop> Hops)>? known))
                {
                    _byUse.Remove(known);
                }

                _pages[hashes[page]] = _byUse.AddFirst((hashes[page], hops));
            }

            while (_pages.Count > most)
            {
                _pages.Remove(_byUse.Last!.Value.Page);
                _byUse.RemoveLast();
            }
        }
    }

    /// <summary>The chain that last held the most of a conversation's first pages; null when none did.</summary>
    public HeldPrefix? Find(PageHashChain hashes, int count)
    {
        lock (_lock)
        {
            for (int page = count - 1; page >= 0; page--)
            {
                if (_pages.TryGetValue(hashes[page], out LinkedListNode<(PageHash Page, ImmutableArray<ChainHop> Hops)>? known))
                {
                    return new HeldPrefix(known.Value.Hops, (page + 1) * PageHash.Positions);
                }
            }

            return null;
        }
    }

    /// <summary>A chain has said that it holds no more than <paramref name="from"/> of a conversation's pages.</summary>
    public void Forget(ImmutableArray<ChainHop> hops, PageHashChain hashes, int from, int count)
    {
        lock (_lock)
        {
            for (int page = from; page < count; page++)
            {
                if (_pages.TryGetValue(hashes[page], out LinkedListNode<(PageHash Page, ImmutableArray<ChainHop> Hops)>? known)
                    && IsSame(known.Value.Hops, hops))
                {
                    _pages.Remove(hashes[page]);
                    _byUse.Remove(known);
                }
            }
        }
    }

    private static bool IsSame(ImmutableArray<ChainHop> one, ImmutableArray<ChainHop> other) =>
        one.Length == other.Length && one.Zip(other).All(pair => pair.First.IsSame(pair.Second));
}
