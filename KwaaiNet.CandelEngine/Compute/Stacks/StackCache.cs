namespace KwaaiNet.CandelEngine.Compute.Stacks;

/// <summary>What the caches of all backends share: the range, the length, and the bytes held of the stack's budget.</summary>
internal abstract class StackCache : KvCache
{
    private int _length;
    private bool _disposed;

    protected StackCache(BlockStack stack, int firstBlock, int endBlock, int capacity, long bytes)
    {
        Stack = stack;
        FirstBlock = firstBlock;
        EndBlock = endBlock;
        Capacity = capacity;
        Bytes = bytes;
    }

    public override int FirstBlock { get; }

    public override int EndBlock { get; }

    public override int Length => _length;

    public override int Capacity { get; }

    public override long Bytes { get; }

    internal BlockStack Stack { get; }

    internal bool IsDisposed => _disposed;

    /// <summary>Set while a batch that holds this cache is being checked and run: a cache cannot be in one batch twice.</summary>
    internal bool InBatch { get; set; }

    public override void Truncate(int length)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(length);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(length, _length);
        _length = length;
    }

    public override void Dispose()
    {
        if (_disposed) return;

        _disposed = true;
        _length = 0;
        Free();
        Stack.Release(Bytes);
    }

    internal void Advance(int rows) => _length += rows;

    /// <summary>Makes memory for positions below <paramref name="length"/> exist.</summary>
    internal abstract void Reserve(int length);

    /// <summary>Frees the memory behind the cache. Called once.</summary>
    protected abstract void Free();
}
