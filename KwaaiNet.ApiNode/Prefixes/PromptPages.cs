using System.Collections.Immutable;
using Google.Protobuf;
using KwaaiNet.ApiNode.Planning;
using KwaaiNet.Protocol.Sessions;

namespace KwaaiNet.ApiNode.Prefixes;

/// <summary>One conversation's pages: their names, who holds them, and whether somebody computes them now. Not safe for concurrent use.</summary>
/// <param name="hashes">The conversation's hashes; empty.</param>
/// <param name="holders">Which chain holds what.</param>
/// <param name="prefills">What is being computed.</param>
internal sealed class PromptPages(PageHashChain hashes, PageHolders holders, PrefillsUnderway prefills) : IDisposable
{
    private PrefillUnderway? _underway;

    /// <summary>Pages that a session may begin with, which needs a token to run; and those that one has filled, whose last token never ran.</summary>
    public int Count { get; private set; }

    /// <summary>The pages' names, as they travel.</summary>
    public ByteString Hashes => UnsafeByteOperations.UnsafeWrap(hashes.ToBytes(Count));

    /// <summary>The chain that is known to hold the most of them; null when none is.</summary>
    public HeldPrefix? Held => holders.Find(hashes, Count);

    /// <summary>The conversation has gone on.</summary>
    /// <param name="tokens">All of it; at least one.</param>
    public void Extend(IReadOnlyList<int> tokens)
    {
        hashes.Extend(tokens);
        Count = Math.Min((tokens.Count - 1) / PageHash.Positions, PageHash.MaxPages);
    }

    /// <summary>Says that the prompt is about to be computed, unless somebody computes its beginning: eight users with one system prompt need it once.</summary>
    /// <param name="other">What is worth waiting for; null when there is nothing.</param>
    public bool TryBegin(out PrefillUnderway? other)
    {
        Dispose();
        other = null;
        if (Count > 0)
        {
            _underway = prefills.TryBegin(hashes, Count, (Held?.Positions ?? 0) / PageHash.Positions, out other);
        }

        return other is null;
    }

    /// <summary>A chain has said how much it holds.</summary>
    public void OnOpened(ImmutableArray<ChainHop> hops, int cachedPositions) => holders.Forget(hops, hashes, cachedPositions / PageHash.Positions, Count);

    /// <summary>A chain holds all of it: whoever waited finds it there.</summary>
    public void OnComputed(ImmutableArray<ChainHop> hops)
    {
        holders.Add(hops, hashes, Count);
        Dispose();
    }

    /// <summary>The prompt is not being computed any more.</summary>
    public void Dispose()
    {
        _underway?.Dispose();
        _underway = null;
    }
}
