using KwaaiNet.CandelEngine.Models;

namespace KwaaiNet.CandelEngine.Compute.Stacks;

/// <summary>
/// What stacks of all backends share: the pool of KV pages, the checks, and the walk of a batch through the blocks.
/// A backend fills in what happens to rows.
/// </summary>
/// <remarks>
/// A batch is cut into pieces of at most <see cref="PieceRows"/> rows, which bounds the scratch memory. A piece passes through all
/// blocks before the next one starts, so a later piece of the same step finds the keys and values of the earlier ones.
/// Nothing a row meets on its way depends on the rows beside it.
/// </remarks>
internal abstract class BlockStack : IBlockStack
{
    private readonly int _pieceRows;
    private readonly RowRun[] _runs;
    private readonly HeadRow[] _headRows;
    private readonly PageLedger _pages;
    private StackCache?[] _caches = new StackCache?[4];
    private bool _disposed;

    /// <param name="shape">The model.</param>
    /// <param name="options">What the stack holds.</param>
    /// <param name="weightBytes">Bytes of its weights on the device.</param>
    /// <param name="pieceRows">Rows that run together at most.</param>
    /// <param name="pagePositions">Positions in a KV page.</param>
    /// <param name="pages">KV pages there are.</param>
    protected BlockStack(ModelShape shape, BlockStackOptions options, long weightBytes, int pieceRows, int pagePositions, int pages)
    {
        Shape = shape;
        Options = options;
        WeightBytes = weightBytes;
        KvPagePositions = pagePositions;
        _pages = new PageLedger(pages);
        _pieceRows = pieceRows;
        _runs = new RowRun[pieceRows];
        _headRows = new HeadRow[pieceRows];
    }

    public ModelShape Shape { get; }

    public BlockStackOptions Options { get; }

    public long WeightBytes { get; }

    public abstract long KvBytesPerBlockPosition { get; }

    public int KvPagePositions { get; }

    public int KvPages => _pages.Count;

    public int KvFreePages => _pages.Free;

    public long KvFreeBytes => _pages.Free * KvPageBytes;

    /// <summary>Bytes of a page.</summary>
    internal long KvPageBytes => KvPagePositions * KvBytesPerBlockPosition;

    /// <summary>Rows that run together at most.</summary>
    internal int PieceRows => _pieceRows;

    public KvCache CreateCache(int firstBlock, int endBlock, ReadOnlySpan<KvPage> beginning = default)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        ArgumentOutOfRangeException.ThrowIfLessThan(firstBlock, Options.FirstBlock);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(endBlock, Options.EndBlock);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(firstBlock, endBlock);
        ArgumentOutOfRangeException.ThrowIfGreaterThan((long)beginning.Length * KvPagePositions, Shape.ContextLength, nameof(beginning));
        foreach (KvPage page in beginning)
        {
            if (page is not StackPage ours || !ReferenceEquals(ours.Stack, this)) throw new ArgumentException("A page was not made by this stack.", nameof(beginning));
            if (ours.IsDisposed) throw new ArgumentException("A page was given back.", nameof(beginning));
            if (page.FirstBlock > firstBlock || page.EndBlock < endBlock)
                throw new ArgumentException($"A page covers blocks [{page.FirstBlock}, {page.EndBlock}), not [{firstBlock}, {endBlock}).", nameof(beginning));
        }

        StackCache cache = NewCache(firstBlock, endBlock);
        if (cache.TryBegin(beginning)) return cache;

        cache.Dispose();
        throw new KvExhaustedException(0, KvFreeBytes);
    }

    public void Run(ReadOnlySpan<BlockStep> batch)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        if (_caches.Length < batch.Length) _caches = new StackCache?[Math.Max(batch.Length, _caches.Length * 2)];

        int taken = 0;
        try
        {
            for (; taken < batch.Length; taken++)
            {
                StackCache cache = StepCheck.Check(this, batch[taken]);
                cache.InBatch = true;
                _caches[taken] = cache;
            }

            Reserve(batch);
            RunPieces(batch);

            for (int i = 0; i < batch.Length; i++) _caches[i]!.Advance(batch[i].Rows);
        }
        finally
        {
            for (int i = 0; i < taken; i++)
            {
                _caches[i]!.InBatch = false;
                _caches[i] = null;
            }
        }
    }

    public void Dispose()
    {
        if (_disposed) return;

        _disposed = true;
        Free();
    }

    /// <summary>Takes a page for one holder. There is one free.</summary>
    internal int TakePage()
    {
        int page = _pages.Take();
        OnPageTaken(page);
        return page;
    }

    /// <summary>One more holder of a page.</summary>
    internal void HoldPage(int page) => _pages.Hold(page);

    /// <summary>One holder of a page less. Also after the stack has been disposed.</summary>
    internal void ReleasePage(int page)
    {
        if (_pages.Release(page) && !_disposed) OnPageFree(page);
    }

    /// <summary>Whether a page has more than one holder.</summary>
    internal bool IsShared(int page) => _pages.IsShared(page);

    /// <summary>Copies what a page holds.</summary>
    /// <exception cref="ComputeException">The device failed.</exception>
    internal abstract void CopyPage(int from, int to);

    /// <summary>Pages that a budget has room for. Their numbers are 32-bit.</summary>
    internal static int PagesIn(long budgetBytes, long pageBytes) => (int)Math.Min(int.MaxValue / 2, budgetBytes / pageBytes);

    /// <summary>Makes memory for a page exist.</summary>
    protected virtual void OnPageTaken(int page)
    {
    }

    /// <summary>A page's memory may be used for something else.</summary>
    protected virtual void OnPageFree(int page)
    {
    }

    /// <summary>Makes a cache that holds nothing.</summary>
    protected abstract StackCache NewCache(int firstBlock, int endBlock);

    /// <summary>Brings in what the rows of a piece start from: embedding rows or hidden states, and the angles of their positions.</summary>
    protected abstract void Enter(ReadOnlySpan<RowRun> runs, int rows);

    /// <summary>Runs one block on the rows of consecutive runs, and rounds the residual to each step's boundary format.</summary>
    /// <param name="block">The block, counted in the model.</param>
    /// <param name="runs">Runs that lie side by side in the piece and all pass through the block.</param>
    protected abstract void RunBlock(int block, ReadOnlySpan<RowRun> runs);

    /// <summary>Hands hidden states to the steps that want them.</summary>
    protected abstract void Leave(ReadOnlySpan<RowRun> runs);

    /// <summary>Computes logits of the given rows.</summary>
    protected abstract void RunHead(ReadOnlySpan<HeadRow> rows);

    /// <summary>Frees the stack's own memory. Called once.</summary>
    protected abstract void Free();

    // All or nothing: what is missing is added up before any cache takes a page.
    private void Reserve(ReadOnlySpan<BlockStep> batch)
    {
        long missing = 0;
        for (int i = 0; i < batch.Length; i++) missing += _caches[i]!.Missing(_caches[i]!.Length + batch[i].Rows);
        if (missing > KvFreePages) throw new KvExhaustedException(missing * KvPageBytes, KvFreeBytes);

        for (int i = 0; i < batch.Length; i++)
        {
            if (!_caches[i]!.TryReserve(_caches[i]!.Length + batch[i].Rows)) throw new KvExhaustedException(missing * KvPageBytes, KvFreeBytes);
        }
    }

    private void RunPieces(ReadOnlySpan<BlockStep> batch)
    {
        int step = 0;
        int stepRow = 0;
        while (step < batch.Length)
        {
            int runs = 0;
            int rows = 0;
            while (step < batch.Length && rows < _pieceRows)
            {
                StackCache cache = _caches[step]!;
                int count = Math.Min(batch[step].Rows - stepRow, _pieceRows - rows);
                _runs[runs++] = new RowRun(batch[step], cache, stepRow, rows, count, cache.Length + stepRow);
                rows += count;
                stepRow += count;
                if (stepRow < batch[step].Rows) break;

                step++;
                stepRow = 0;
            }

            RunPiece(_runs.AsSpan(0, runs), rows);
            Array.Clear(_runs, 0, runs); // keeps no session alive
        }
    }

    /// <summary>Runs a piece: brings rows in, through the blocks, and out.</summary>
    protected virtual void RunPiece(ReadOnlySpan<RowRun> runs, int rows)
    {
        Enter(runs, rows);

        int first = int.MaxValue;
        int end = 0;
        foreach (ref readonly RowRun run in runs)
        {
            first = Math.Min(first, run.Cache.FirstBlock);
            end = Math.Max(end, run.Cache.EndBlock);
        }

        for (int block = first; block < end; block++) RunBlockWhereWanted(block, runs);

        Leave(runs);

        int headRows = 0;
        foreach (ref readonly RowRun run in runs) headRows = AddHeadRows(run, headRows);
        if (headRows == 0) return;

        RunHead(_headRows.AsSpan(0, headRows));
        Array.Clear(_headRows, 0, headRows);
    }

    // Sessions may use different parts of the stack; neighbours that both pass through the block run as one.
    private void RunBlockWhereWanted(int block, ReadOnlySpan<RowRun> runs)
    {
        int i = 0;
        while (i < runs.Length)
        {
            int start = i;
            while (i < runs.Length && block >= runs[i].Cache.FirstBlock && block < runs[i].Cache.EndBlock) i++;
            if (i > start) RunBlock(block, runs[start..i]);
            else i++;
        }
    }

    private int AddHeadRows(in RowRun run, int count)
    {
        BlockStep step = run.Step;
        if (step.Logits.IsEmpty) return count;

        int vocabulary = Shape.VocabularySize;
        if (step.Logits.Length == vocabulary)
        {
            int last = step.Rows - 1 - run.StepRow;
            if (last < run.Rows) _headRows[count++] = new HeadRow(run.PieceRow + last, step.Logits);
            return count;
        }

        for (int row = 0; row < run.Rows; row++)
        {
            Memory<float> logits = step.Logits.Slice((run.StepRow + row) * vocabulary, vocabulary);
            _headRows[count++] = new HeadRow(run.PieceRow + row, logits);
        }

        return count;
    }

    /// <summary>A row whose logits are wanted.</summary>
    /// <param name="PieceRow">Where its hidden state lies.</param>
    /// <param name="Logits">Where they go, <c>[Vocabulary]</c>.</param>
    protected readonly record struct HeadRow(int PieceRow, Memory<float> Logits);
}
