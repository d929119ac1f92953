namespace KwaaiNet.CandelEngine.Compute;

/// <summary>Keys and values of one session for the blocks it runs on one stack. Disposing it returns its bytes to the stack's budget.</summary>
public abstract class KvCache : IDisposable
{
    /// <summary>First block covered.</summary>
    public abstract int FirstBlock { get; }

    /// <summary>One past the last block covered.</summary>
    public abstract int EndBlock { get; }

    /// <summary>Positions filled.</summary>
    public abstract int Length { get; }

    /// <summary>Positions that may be filled.</summary>
    public abstract int Capacity { get; }

    /// <summary>Bytes this cache holds of the stack's KV budget.</summary>
    public abstract long Bytes { get; }

    /// <summary>Forgets positions from <paramref name="length"/> on, so that a step can be run again.</summary>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="length"/> is negative or more than <see cref="Length"/>.</exception>
    public abstract void Truncate(int length);

    /// <inheritdoc/>
    public abstract void Dispose();
}
