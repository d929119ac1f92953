using Google.Protobuf;
using KwaaiNet.CandelEngine.Compute;
using KwaaiNet.Protocol.Sessions;

namespace KwaaiNet.ShardNode.Prefixes;

/// <summary>One session's pages that can be found, or will be when they are filled. Belongs to the step loop.</summary>
/// <param name="origin">Where its pages come from.</param>
/// <param name="hashes">The names of the prompt's pages.</param>
internal sealed class SessionPages(PageOrigin origin, ByteString hashes)
{
    /// <summary>Where its pages come from.</summary>
    public PageOrigin Origin { get; } = origin;

    /// <summary>The names of its first pages.</summary>
    public ByteString Hashes { get; set; } = hashes;

    /// <summary>Pages it filled or began with, that are held under their names.</summary>
    public List<HeldPage> Held { get; } = [];

    /// <summary>Pages from the first one on that have been looked at.</summary>
    public int Kept { get; set; }

    /// <summary>Positions the session begins with.</summary>
    public int CachedPositions => Held.Count * PageHash.Positions;

    /// <summary>What its cache begins with.</summary>
    public KvPage[] Beginning() => [.. Held.SelectMany(page => page.Pages)];

    /// <summary>Whether the next page has been filled and has a name.</summary>
    public bool HasNew(int length) => (Kept + 1) * PageHash.Positions <= length && (Kept + 1) * PageHash.Length <= Hashes.Length;
}
