namespace KwaaiNet.ShardNode.Kv;

/// <summary>KV pages that are kept for sessions to come. Belongs to the step loop.</summary>
internal interface IReclaimablePages
{
    /// <summary>Bytes of the KV budget that are kept and that no open session uses: what <see cref="Reclaim"/> can free.</summary>
    long UnusedBytes { get; }

    /// <summary>Gives unused pages back until so many bytes are free, the longest unused first.</summary>
    /// <returns>The bytes freed; less than asked for when no more are unused.</returns>
    long Reclaim(long bytes);
}
