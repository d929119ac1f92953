namespace KwaaiNet.CandelEngine.Compute.Stacks;

/// <summary>A reference to a page of each block of a range.</summary>
/// <param name="stack">The stack whose pages they are.</param>
/// <param name="firstBlock">First block of the range.</param>
/// <param name="pages">The pages' numbers, one a block; held for this reference.</param>
internal sealed class StackPage(BlockStack stack, int firstBlock, int[] pages) : KvPage
{
    private bool _disposed;

    public override int FirstBlock => firstBlock;

    public override int EndBlock => firstBlock + pages.Length;

    public override long Bytes => stack.KvPageBytes * pages.Length;

    internal BlockStack Stack => stack;

    internal bool IsDisposed => _disposed;

    /// <summary>The page of a block, counted in the model.</summary>
    internal int PageOf(int block) => pages[block - firstBlock];

    public override void Dispose()
    {
        if (_disposed) return;

        _disposed = true;
        foreach (int page in pages) stack.ReleasePage(page);
    }
}
