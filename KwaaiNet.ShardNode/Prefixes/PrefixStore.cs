using System.Runtime.InteropServices;
using Google.Protobuf;
using KwaaiNet.CandelEngine.Compute;
using KwaaiNet.Protocol.Sessions;
using KwaaiNet.ShardNode.Kv;

namespace KwaaiNet.ShardNode.Prefixes;

/// <summary>Pages of keys and values that outlive their session, to be found by the hashes of their tokens. Belongs to the step loop, as the stack does.</summary>
/// <remarks>
/// A page can be found as soon as it is filled, also by sessions that run beside the one that filled it. What no open session uses is free room:
/// it is forgotten when somebody needs the memory, longest unused first, or after its time. The end of a conversation is unused before its
/// beginning, so that what is left can still be begun with.
/// </remarks>
/// <param name="pagePositions">Positions in one of the stack's pages: a divisor of <see cref="PageHash.Positions"/>.</param>
/// <param name="timeToLive">How long a page may lie unused.</param>
/// <param name="time">The clock.</param>
internal sealed class PrefixStore(int pagePositions, TimeSpan timeToLive, TimeProvider time) : IReclaimablePages
{
    private readonly Dictionary<(PageOrigin Origin, PageHash Hash), HeldPage> _pages = [];

    // Oldest first.
    private readonly LinkedList<HeldPage> _unused = new();

    /// <summary>Pages that can be found.</summary>
    public int Count => _pages.Count;

    /// <inheritdoc/>
    public long UnusedBytes { get; private set; }

    /// <summary>Finds the pages a session begins with, and keeps them for as long as it is open.</summary>
    /// <param name="origin">Where its pages come from.</param>
    /// <param name="hashes">The names of its prompt's pages; checked.</param>
    public SessionPages Begin(PageOrigin origin, ByteString hashes)
    {
        SessionPages session = new(origin, hashes);
        for (int page = 0; page < hashes.Length / PageHash.Length; page++)
        {
            if (!_pages.TryGetValue((origin, PageHash.Read(hashes.Span, page)), out HeldPage? held)) break;

            Use(held);
            session.Held.Add(held);
        }

        session.Kept = session.Held.Count;
        return session;
    }

    /// <summary>A session begins with fewer pages than were found: what it does not begin with it fills itself.</summary>
    public void BeginAt(SessionPages session, int pages)
    {
        for (int page = session.Held.Count - 1; page >= pages; page--) Release(session.Held[page]);
        session.Held.RemoveRange(pages, session.Held.Count - pages);
        session.Kept = pages;
    }

    /// <summary>Makes the pages that a session has filled findable.</summary>
    public void Keep(SessionPages session, KvCache cache)
    {
        while (session.HasNew(cache.Length))
        {
            (PageOrigin Origin, PageHash Hash) key = (session.Origin, PageHash.Read(session.Hashes.Span, session.Kept));
            ref HeldPage? held = ref CollectionsMarshal.GetValueRefOrAddDefault(_pages, key, out bool isKnown);
            // One that another session filled in the meantime has the same numbers; of two alike one is enough.
            if (!isKnown)
            {
                int parts = PageHash.Positions / pagePositions;
                KvPage[] pages = new KvPage[parts];
                for (int part = 0; part < parts; part++) pages[part] = cache.Share((session.Kept * parts) + part);
                held = new HeldPage(key.Origin, key.Hash, pages) { Users = 1 };
                session.Held.Add(held);
            }

            session.Kept++;
        }
    }

    /// <summary>A session ends. Its pages stay, and those filled since it was opened can be found by their names as well.</summary>
    /// <param name="session">The session's pages.</param>
    /// <param name="cache">Its cache, before that is given back; null: nothing more is kept.</param>
    /// <param name="hashes">The names of all its pages; empty: those it was opened with.</param>
    public void End(SessionPages session, KvCache? cache, ByteString hashes)
    {
        if (hashes.Length > session.Hashes.Length) session.Hashes = hashes;
        if (cache is not null) Keep(session, cache);
        for (int page = session.Held.Count - 1; page >= 0; page--) Release(session.Held[page]);
        session.Held.Clear();
    }

    /// <inheritdoc/>
    public long Reclaim(long bytes)
    {
        long freed = 0;
        while (freed < bytes && _unused.First is { } oldest)
        {
            freed += oldest.Value.Bytes;
            Forget(oldest.Value);
        }

        return freed;
    }

    /// <summary>Forgets what has been unused for longer than its time.</summary>
    public void Expire()
    {
        while (_unused.First is { } oldest && time.GetElapsedTime(oldest.Value.UnusedSince) >= timeToLive) Forget(oldest.Value);
    }

    /// <summary>Forgets everything: the stack is given back. No session is open.</summary>
    public void Clear() => Reclaim(long.MaxValue);

    private void Use(HeldPage page)
    {
        if (page.Users++ > 0) return;

        Take(page);
    }

    private void Release(HeldPage page)
    {
        if (--page.Users > 0) return;

        UnusedBytes += page.Bytes;
        page.UnusedSince = time.GetTimestamp();
        page.Place = _unused.AddLast(page);
    }

    private void Forget(HeldPage page)
    {
        _pages.Remove(page.Key);
        Take(page);
        foreach (KvPage part in page.Pages) part.Dispose();
    }

    private void Take(HeldPage page)
    {
        _unused.Remove(page.Place!);
        page.Place = null;
        UnusedBytes -= page.Bytes;
    }
}
