using KwaaiNet.CandelEngine.Compute;
using KwaaiNet.Protocol.Sessions;

namespace KwaaiNet.ShardNode.Prefixes;

/// <summary>The keys and values of 64 positions that can be found again. Belongs to the step loop.</summary>
/// <param name="origin">Whose they are.</param>
/// <param name="hash">Their name.</param>
/// <param name="pages">The engine's pages, which may be smaller.</param>
internal sealed class HeldPage(PageOrigin origin, PageHash hash, KvPage[] pages)
{
    /// <summary>What it is found by.</summary>
    public (PageOrigin Origin, PageHash Hash) Key { get; } = (origin, hash);

    /// <summary>The engine's pages.</summary>
    public KvPage[] Pages { get; } = pages;

    /// <summary>Bytes of the KV budget.</summary>
    public long Bytes { get; } = pages.Sum(page => page.Bytes);

    /// <summary>Open sessions that filled it or began with it: as long as there are any, forgetting it frees nothing.</summary>
    public int Users { get; set; }

    /// <summary>Its place among the unused; null while it is used.</summary>
    public LinkedListNode<HeldPage>? Place { get; set; }

    /// <summary>When the last of them ended, as <see cref="TimeProvider.GetTimestamp"/>.</summary>
    public long UnusedSince { get; set; }
}
