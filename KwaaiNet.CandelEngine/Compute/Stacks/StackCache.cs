namespace KwaaiNet.CandelEngine.Compute.Stacks;

/// <summary>What the caches of all backends share: the range, the length, and the pages held of the stack's pool.</summary>
/// <remarks>
/// Pages are only written behind <see cref="Length"/>, and only whole pages are shared: a page is written by one cache alone, unless a cache
/// was cut back into a page that others read. That page is copied before anything is written again.
/// </remarks>
internal abstract class StackCache : KvCache
{
    /// <summary>Pages of each block that a new cache has room to name; the room doubles.</summary>
    protected const int FirstRoom = 8;

    private int[] _pages; // [pages of a block, blocks]
    private int _held; // pages of each block
    private int _length;
    private bool _endsInShared; // the last page is not full, and others may read it
    private bool _disposed;

    protected StackCache(BlockStack stack, int firstBlock, int endBlock)
    {
        Stack = stack;
        FirstBlock = firstBlock;
        EndBlock = endBlock;
        _pages = new int[FirstRoom * Blocks];
    }

    public override int FirstBlock { get; }

    public override int EndBlock { get; }

    public override int Length => _length;

    public override int Capacity => _endsInShared ? _length : _held * Stack.KvPagePositions;

    public override long Bytes => Stack.KvPageBytes * _held * Blocks;

    internal BlockStack Stack { get; }

    internal bool IsDisposed => _disposed;

    /// <summary>Set while a batch that holds this cache is being checked and run: a cache cannot be in one batch twice.</summary>
    internal bool InBatch { get; set; }

    /// <summary>Blocks covered.</summary>
    protected int Blocks => EndBlock - FirstBlock;

    /// <summary>Pages held of each block.</summary>
    protected int HeldPages => _held;

    public override bool TryReserve(int length)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        ArgumentOutOfRangeException.ThrowIfNegative(length);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(length, Stack.Shape.ContextLength);
        if (length <= Capacity) return true;
        if (Missing(length) > Stack.KvFreePages) return false;

        int pages = PagesFor(length);
        if (pages > _held && !TryMakeRoom(pages)) return false;

        if (_endsInShared) CopyLast();
        Take(pages);
        return true;
    }

    public override KvPage Share(int page)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        ArgumentOutOfRangeException.ThrowIfNegative(page);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(page, _length / Stack.KvPagePositions);
        int[] pages = _pages.AsSpan(page * Blocks, Blocks).ToArray();
        foreach (int number in pages) Stack.HoldPage(number);
        return new StackPage(Stack, FirstBlock, pages);
    }

    public override void Truncate(int length)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(length);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(length, _length);
        GiveBackFrom(PagesFor(length));
        _length = length;
        _endsInShared = length % Stack.KvPagePositions != 0 && SharedBlocks(_held - 1) > 0;
    }

    public override void Dispose()
    {
        if (_disposed) return;

        _disposed = true;
        _length = 0;
        GiveBackFrom(0);
        Free();
    }

    internal void Advance(int rows) => _length += rows;

    /// <summary>Free pages that <see cref="TryReserve"/> would take.</summary>
    internal int Missing(int length)
    {
        if (length <= Capacity) return 0;

        int copied = _endsInShared ? SharedBlocks(_held - 1) : 0;
        return copied + (Math.Max(0, PagesFor(length) - _held) * Blocks);
    }

    /// <summary>Begins with pages of others, which count as filled. Only for a new cache.</summary>
    /// <returns>Whether there was room to refer to them; if not, nothing was taken.</returns>
    internal bool TryBegin(ReadOnlySpan<KvPage> beginning)
    {
        if (beginning.IsEmpty) return true;
        if (!TryMakeRoom(beginning.Length)) return false;

        Grow(beginning.Length);
        for (int page = 0; page < beginning.Length; page++)
        {
            var shared = (StackPage)beginning[page];
            for (int block = 0; block < Blocks; block++)
            {
                int number = shared.PageOf(FirstBlock + block);
                Stack.HoldPage(number);
                _pages[(page * Blocks) + block] = number;
            }
        }

        _held = beginning.Length;
        _length = _held * Stack.KvPagePositions;
        OnPages(0);
        return true;
    }

    /// <summary>The number of a held page.</summary>
    /// <param name="page">Which, counted in the session.</param>
    /// <param name="block">The block, counted in the cache.</param>
    protected int PageOf(int page, int block) => _pages[(page * Blocks) + block];

    /// <summary>Makes room to name so many pages of each block; what was named before stays. False: there is none, and nothing has changed.</summary>
    protected abstract bool TryMakeRoom(int pages);

    /// <summary>Pages from one on, counted in the session, are others than before. There is room for them.</summary>
    protected abstract void OnPages(int first);

    /// <summary>Frees what the backend keeps beside the pages. Called once.</summary>
    protected virtual void Free()
    {
    }

    private int PagesFor(int length) => (length + Stack.KvPagePositions - 1) / Stack.KvPagePositions;

    private int SharedBlocks(int page)
    {
        int shared = 0;
        for (int block = 0; block < Blocks; block++)
        {
            if (Stack.IsShared(PageOf(page, block))) shared++;
        }

        return shared;
    }

    // Nothing that is named twice is written, so a fault in between leaves every page right.
    private void CopyLast()
    {
        int last = _held - 1;
        for (int block = 0; block < Blocks; block++)
        {
            int shared = PageOf(last, block);
            if (!Stack.IsShared(shared)) continue;

            int copy = Stack.TakePage();
            Stack.CopyPage(shared, copy);
            _pages[(last * Blocks) + block] = copy;
            Stack.ReleasePage(shared);
        }

        _endsInShared = false;
        OnPages(last);
    }

    private void Take(int pages)
    {
        if (pages <= _held) return;

        Grow(pages);
        int first = _held;
        for (int i = first * Blocks; i < pages * Blocks; i++) _pages[i] = Stack.TakePage();
        _held = pages;
        OnPages(first);
    }

    private void Grow(int pages)
    {
        if (_pages.Length < pages * Blocks) Array.Resize(ref _pages, Math.Max(pages * Blocks, 2 * _pages.Length));
    }

    private void GiveBackFrom(int pages)
    {
        for (int i = pages * Blocks; i < _held * Blocks; i++) Stack.ReleasePage(_pages[i]);
        _held = Math.Min(_held, pages);
    }
}
