namespace KwaaiNet.CandelEngine.Compute;

/// <summary>
/// A counted reference to one whole page of keys and values: <see cref="IBlockStack.KvPagePositions"/> positions in a row, of every block that
/// the cache it was taken from covers. The page lives for as long as anyone refers to it, whatever becomes of that cache.
/// </summary>
/// <remarks>Belongs to the loop that owns the stack. Disposing it gives the reference back, and does not throw.</remarks>
public abstract class KvPage : IDisposable
{
    /// <summary>First block covered.</summary>
    public abstract int FirstBlock { get; }

    /// <summary>One past the last block covered.</summary>
    public abstract int EndBlock { get; }

    /// <summary>Bytes of the stack's KV budget that the page takes over all blocks covered, however many refer to it.</summary>
    public abstract long Bytes { get; }

    /// <inheritdoc/>
    public abstract void Dispose();
}
