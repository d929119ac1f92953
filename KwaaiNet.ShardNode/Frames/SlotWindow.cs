namespace KwaaiNet.ShardNode.Frames;

/// <summary>How much of one stream may wait here. When no slot is left the stream is no longer read, and the transport holds its sender back.</summary>
/// <remarks>A message takes one slot, and one more for every MiB it carries, so that a sender cannot fill this node's memory with few large ones.</remarks>
/// <param name="slots">Slots there are.</param>
internal sealed class SlotWindow(int slots)
{
    private const int BytesPerSlot = 1 << 20;

    private readonly SemaphoreSlim _free = new(slots);

    /// <summary>Waits until a message may be taken in. One caller at a time: the stream's reader.</summary>
    public async Task WaitAsync(int bytes, CancellationToken cancellationToken)
    {
        for (int needed = Of(bytes); needed > 0; needed--) await _free.WaitAsync(cancellationToken).ConfigureAwait(false);
    }

    /// <summary>The message is dealt with.</summary>
    public void Free(int bytes) => _free.Release(Of(bytes));

    // A message that is larger than the whole window waits until it is alone.
    private int Of(int bytes) => Math.Min(slots, 1 + (bytes / BytesPerSlot));
}
