using KwaaiNet.Protocol.Sessions;

namespace KwaaiNet.ApiNode.Prefixes;

/// <summary>The prompts that chains are computing now: a request that begins like one of them waits for it instead of computing the same. Safe for concurrent use.</summary>
internal sealed class PrefillsUnderway
{
    private readonly Lock _lock = new();
    private readonly Dictionary<PageHash, PrefillUnderway> _pages = [];

    /// <summary>Says that a prompt is about to be computed, unless one under way is worth waiting for.</summary>
    /// <param name="hashes">The prompt's pages.</param>
    /// <param name="count">How many of them may be held by somebody.</param>
    /// <param name="known">Pages that a chain is known to hold already.</param>
    /// <param name="other">The prompt to wait for; null when there is none.</param>
    /// <returns>This prompt, to be disposed of when it has been computed or will not be; null when there is one to wait for.</returns>
    public PrefillUnderway? TryBegin(PageHashChain hashes, int count, int known, out PrefillUnderway? other)
    {
        lock (_lock)
        {
            other = null;
            int shared = count;
            while (shared > known && !_pages.TryGetValue(hashes[shared - 1], out other))
            {
                shared--;
            }

            // Waiting for a long prompt to have the short beginning of it would take longer than computing that.
            if (other is not null && 2 * shared >= other.Pages.Length)
            {
                return null;
            }

            other = null;
            PrefillUnderway own = new(this, [.. Enumerable.Range(0, count).Select(page => hashes[page])]);
            foreach (PageHash page in own.Pages)
            {
                _pages.TryAdd(page, own);
            }

            return own;
        }
    }

    internal void End(PrefillUnderway prefill)
    {
        lock (_lock)
        {
            foreach (PageHash page in prefill.Pages)
            {
                if (_pages.TryGetValue(page, out PrefillUnderway? first) && first == prefill)
                {
                    _pages.Remove(page);
                }
            }
        }
    }
}
