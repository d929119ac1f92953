namespace KwaaiNet.CandelEngine.Compute;

/// <summary>
/// Keys and values of one session for the blocks it runs on one stack, in pages of the stack's pool: taken as the session grows, given back
/// when it shrinks or is disposed, and shared with others that begin alike. Nothing is moved when it grows.
/// </summary>
public abstract class KvCache : IDisposable
{
    /// <summary>First block covered.</summary>
    public abstract int FirstBlock { get; }

    /// <summary>One past the last block covered.</summary>
    public abstract int EndBlock { get; }

    /// <summary>Positions filled.</summary>
    public abstract int Length { get; }

    /// <summary>Positions that may be filled without taking a page: at least <see cref="Length"/>, never more than whole pages past the context.</summary>
    public abstract int Capacity { get; }

    /// <summary>Bytes of the pages this cache refers to; pages it shares with others count in full.</summary>
    public abstract long Bytes { get; }

    /// <summary>Takes pages so that positions below <paramref name="length"/> may be filled; a shared page that would be written is copied first.</summary>
    /// <returns>Whether there was room; if not, nothing was taken.</returns>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="length"/> is negative or beyond the context.</exception>
    /// <exception cref="ComputeException">The device failed.</exception>
    public abstract bool TryReserve(int length);

    /// <summary>Refers to a page that is filled, over all blocks of this cache.</summary>
    /// <param name="page">Which: its first position divided by <see cref="IBlockStack.KvPagePositions"/>.</param>
    /// <exception cref="ArgumentOutOfRangeException">There is no such page, or it is not filled to its end.</exception>
    public abstract KvPage Share(int page);

    /// <summary>
    /// Forgets positions from <paramref name="length"/> on, so that a step can be run again, and gives back every page behind them. A page that
    /// is left half filled and is shared with others stays as it is for them: this cache writes to a copy.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="length"/> is negative or more than <see cref="Length"/>.</exception>
    public abstract void Truncate(int length);

    /// <inheritdoc/>
    public abstract void Dispose();
}
