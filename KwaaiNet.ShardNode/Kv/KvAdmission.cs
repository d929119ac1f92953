using KwaaiNet.CandelEngine.Compute;

namespace KwaaiNet.ShardNode.Kv;

/// <summary>Decides who is let in by what is free and by what running sessions are expected to need, and finds pages as they are filled. Belongs to the step loop.</summary>
/// <param name="stack">The blocks, whose pages they are.</param>
/// <param name="kept">Pages that may be had back when they are needed.</param>
internal sealed class KvAdmission(IBlockStack stack, IReclaimablePages kept)
{
    /// <summary>Bytes of the whole KV budget.</summary>
    public long TotalBytes => stack.KvPages * PageBytes;

    /// <summary>Bytes that sessions hold: all but what is free or kept for others to come.</summary>
    public long UsedBytes => TotalBytes - AvailableBytes;

    private long AvailableBytes => stack.KvFreeBytes + kept.UnusedBytes;

    private long PageBytes => stack.KvPagePositions * stack.KvBytesPerBlockPosition;

    /// <summary>Bytes that a new session could have now.</summary>
    /// <param name="expected">Bytes that open sessions are expected to take yet.</param>
    public long FreeBytes(long expected) => Math.Max(0, AvailableBytes - expected);

    /// <summary>Bytes that a session is expected to take beyond those it holds.</summary>
    public long ExpectedBytes(KvNeed need, KvCache cache) => BytesBeyond(cache, need.Expected(cache.Length));

    /// <summary>Whether a session is let in that holds what it begins with and no more.</summary>
    /// <param name="need">What it is expected to need.</param>
    /// <param name="cache">Its cache.</param>
    /// <param name="expected">Bytes that open sessions are expected to take yet.</param>
    public bool Admits(KvNeed need, KvCache cache, long expected)
    {
        // What could not be held even alone would be preempted for ever.
        long most = PagesFor(need.Most) * (long)(cache.EndBlock - cache.FirstBlock) * PageBytes;
        return most <= TotalBytes && ExpectedBytes(need, cache) <= AvailableBytes - expected;
    }

    /// <summary>Takes pages so that positions below a length may be filled; what is kept makes way.</summary>
    /// <returns>Whether there are enough; if not, the cache holds what it held.</returns>
    public bool TryReserve(KvCache cache, int length)
    {
        if (cache.TryReserve(length)) return true;

        // A shared page that is to be written takes one more of every block.
        long copied = (cache.EndBlock - cache.FirstBlock) * PageBytes;
        return kept.Reclaim(BytesBeyond(cache, length) + copied - stack.KvFreeBytes) > 0 && cache.TryReserve(length);
    }

    private long BytesBeyond(KvCache cache, int length) =>
        Math.Max(0, PagesFor(length) - PagesFor(cache.Capacity)) * (long)(cache.EndBlock - cache.FirstBlock) * PageBytes;

    private int PagesFor(int positions) => (positions + stack.KvPagePositions - 1) / stack.KvPagePositions;
}
