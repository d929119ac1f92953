using KwaaiNet.CandelEngine.Compute;
using KwaaiNet.CandelEngine.Models;

namespace KwaaiNet.ShardNode.Tests.Fakes;

/// <summary>Blocks that compute small whole numbers from everything a session has seen: any wrong order, cut or repeat shows in the result.</summary>
internal sealed class FakeStack : IBlockStack
{
    public const int Width = 4;
    public const int Vocabulary = 32;
    public const int PoisonToken = 31;
    public const int BlockCount = 6;

    private readonly Lock _lock = new();
    private readonly List<int[]> _batches = [];
    private volatile bool _disposed;
    private volatile bool _loopFails;
    private volatile int _freePages;

    public FakeStack(int firstBlock = 0, int endBlock = BlockCount, long kvBudget = 1 << 20, int context = 256, bool hiddenExceedsHalf = false, int pagePositions = 1)
    {
        Options = new BlockStackOptions
        {
            FirstBlock = firstBlock,
            EndBlock = endBlock,
            Embedding = firstBlock == 0,
            OutputHead = endBlock == BlockCount,
            KvBudgetBytes = kvBudget,
        };
        KvPagePositions = pagePositions;
        KvPages = (int)(kvBudget / (KvBytesPerBlockPosition * pagePositions));
        _freePages = KvPages;
        Shape = new ModelShape
        {
            Architecture = "fake",
            BlockCount = BlockCount,
            Width = Width,
            HeadCount = 1,
            KvHeadCount = 1,
            HeadSize = 2,
            FeedForwardWidth = 4,
            VocabularySize = Vocabulary,
            ContextLength = context,
            HiddenExceedsHalf = hiddenExceedsHalf,
            RmsEpsilon = 1e-5f,
            RopeBase = 10_000,
            RopeSize = 2,
        };
    }

    public ModelShape Shape { get; }

    public BlockStackOptions Options { get; }

    public long WeightBytes => 1000;

    public long KvBytesPerBlockPosition => 16;

    public int KvPagePositions { get; }

    public int KvPages { get; }

    public int KvFreePages => _freePages;

    public long KvFreeBytes
    {
        get
        {
            if (!LoopFails) return _freePages * KvBytesPerBlockPosition * KvPagePositions;

            LoopFails = false;
            throw new InvalidOperationException("A fault of the loop's own.");
        }
    }

    /// <summary>When set, every run waits for a permit: tests decide when the loop goes on.</summary>
    public SemaphoreSlim? Gate { get; set; }

    /// <summary>Called in every run that the gate let through, with its rows.</summary>
    public Action<int>? OnRun { get; init; }

    /// <summary>A run has been entered.</summary>
    public SemaphoreSlim Entered { get; } = new(0);

    public bool DeviceFails { get; set; }

    /// <summary>Throws once where no stack does: the loop that asks cannot go on, the device could.</summary>
    public bool LoopFails { get => _loopFails; set => _loopFails = value; }

    /// <summary>Throws when memory is given back, which no stack should: sessions must hear of the failure all the same.</summary>
    public bool FreesBadly { get; set; }

    /// <summary>Takes steps of this token and gives logits that nothing can be drawn from.</summary>
    public int? BarrenToken { get; set; }

    /// <summary>Rows of each step of each batch.</summary>
    public IReadOnlyList<int[]> Batches
    {
        get
        {
            lock (_lock) return [.. _batches];
        }
    }

    public KvCache CreateCache(int firstBlock, int endBlock, ReadOnlySpan<KvPage> beginning = default)
    {
        Cache cache = new(this, firstBlock, endBlock);
        foreach (KvPage page in beginning) cache.Begin(((Page)page).Content);
        return cache;
    }

    public void Run(ReadOnlySpan<BlockStep> batch)
    {
        int[] rows = new int[batch.Length];
        for (int i = 0; i < batch.Length; i++) rows[i] = batch[i].Rows;
        lock (_lock) _batches.Add(rows);
        Entered.Release();
        Gate?.Wait();
        OnRun?.Invoke(rows.Sum());
        if (DeviceFails) throw new ComputeException("The fake device failed.");

        foreach (BlockStep step in batch)
        {
            if (step.Boundary == HiddenFormat.F16 && Shape.HiddenExceedsHalf) throw new ArgumentException("These hidden states need float32.");
        }

        foreach (BlockStep step in batch)
        {
            if (step.Tokens.Span.Contains(PoisonToken)) throw new ArgumentException("This step does not fit.");
        }

        foreach (BlockStep step in batch)
        {
            if (!step.Cache.TryReserve(step.Cache.Length + step.Rows)) throw new KvExhaustedException(1, 0);
        }

        foreach (BlockStep step in batch)
        {
            Run(step);
            if (BarrenToken is int barren && step.Tokens.Span.Contains(barren)) step.Logits.Span.Fill(float.NaN);
        }
    }

    public bool Disposed => _disposed;

    public void Dispose()
    {
        _disposed = true;
        if (FreesBadly) throw new InvalidOperationException("The fake device takes nothing back.");
    }

    private static void Run(BlockStep step)
    {
        Cache cache = (Cache)step.Cache;
        if (cache.Disposed) throw new InvalidOperationException("The cache is gone.");

        float[] hidden = new float[Width];
        for (int row = 0; row < step.Rows; row++)
        {
            for (int i = 0; i < Width; i++)
            {
                hidden[i] = step.Input.IsEmpty ? ((step.Tokens.Span[row] * 7) + i) % 31 : step.Input.Span[(row * Width) + i];
            }

            for (int block = cache.FirstBlock; block < cache.EndBlock; block++)
            {
                int before = cache.Seen(block);
                int seen = before % 13;
                for (int i = 0; i < Width; i++) hidden[i] = ((hidden[i] * 3) + block + seen + i) % 61;
                cache.Keep(block, before + (int)hidden[0] + 1);
            }

            cache.Advance();
            if (!step.Output.IsEmpty) hidden.CopyTo(step.Output.Span[(row * Width)..]);
        }

        if (step.Logits.IsEmpty) return;

        step.Logits.Span.Clear();
        step.Logits.Span[(int)hidden.Sum() % PoisonToken] = 10;
    }

    /// <summary>What a page holds: what each block has seen after each position.</summary>
    private sealed class Content(FakeStack stack, int firstBlock, int blocks)
    {
        private readonly int[] _seen = new int[stack.KvPagePositions * blocks];
        private int _holders = 1;

        public int FirstBlock => firstBlock;

        public int Blocks => blocks;

        public bool IsShared => _holders > 1;

        public ref int Seen(int at, int block) => ref _seen[(at * blocks) + block - firstBlock];

        public Content Copy()
        {
            Content copy = new(stack, firstBlock, blocks);
            _seen.CopyTo(copy._seen, 0);
            return copy;
        }

        public Content Hold()
        {
            _holders++;
            return this;
        }

        public void Release()
        {
            if (--_holders == 0) stack._freePages += blocks;
        }
    }

    private sealed class Page(FakeStack stack, Content content) : KvPage
    {
        private bool _disposed;

        public Content Content => _disposed ? throw new ArgumentException("The page was given back.") : content;

        public override int FirstBlock => content.FirstBlock;

        public override int EndBlock => content.FirstBlock + content.Blocks;

        public override long Bytes => stack.KvBytesPerBlockPosition * stack.KvPagePositions * content.Blocks;

        public override void Dispose()
        {
            if (!_disposed) content.Release();
            _disposed = true;
        }
    }

    private sealed class Cache(FakeStack stack, int firstBlock, int endBlock) : KvCache
    {
        private readonly List<Content> _pages = [];
        private int _length;

        public bool Disposed { get; private set; }

        public override int FirstBlock => firstBlock;

        public override int EndBlock => endBlock;

        public override int Length => _length;

        public override int Capacity => EndsInShared ? _length : _pages.Count * stack.KvPagePositions;

        public override long Bytes => stack.KvBytesPerBlockPosition * stack.KvPagePositions * _pages.Count * Blocks;

        private int Blocks => endBlock - firstBlock;

        private bool EndsInShared => _length % stack.KvPagePositions != 0 && _pages[^1].IsShared;

        public void Begin(Content content)
        {
            _pages.Add(content.Hold());
            _length += stack.KvPagePositions;
        }

        public int Seen(int block)
        {
            int last = _length - 1;
            return last < 0 ? 0 : _pages[last / stack.KvPagePositions].Seen(last % stack.KvPagePositions, block);
        }

        public void Keep(int block, int seen) => _pages[_length / stack.KvPagePositions].Seen(_length % stack.KvPagePositions, block) = seen;

        public void Advance() => _length++;

        public override bool TryReserve(int length)
        {
            ArgumentOutOfRangeException.ThrowIfGreaterThan(length, stack.Shape.ContextLength);
            if (length <= Capacity) return true;

            int pages = (length + stack.KvPagePositions - 1) / stack.KvPagePositions;
            int missing = (pages - _pages.Count + (EndsInShared ? 1 : 0)) * Blocks;
            if (missing > stack._freePages) return false;

            stack._freePages -= missing;
            if (EndsInShared)
            {
                Content shared = _pages[^1];
                _pages[^1] = shared.Copy();
                shared.Release();
            }

            while (_pages.Count < pages) _pages.Add(new Content(stack, firstBlock, Blocks));
            return true;
        }

        public override KvPage Share(int page)
        {
            ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(page, _length / stack.KvPagePositions);
            return new Page(stack, _pages[page].Hold());
        }

        public override void Truncate(int length)
        {
            ArgumentOutOfRangeException.ThrowIfGreaterThan(length, _length);
            _length = length;
            int pages = (length + stack.KvPagePositions - 1) / stack.KvPagePositions;
            while (_pages.Count > pages)
            {
                _pages[^1].Release();
                _pages.RemoveAt(_pages.Count - 1);
            }
        }

        public override void Dispose()
        {
            if (Disposed) return;

            Disposed = true;
            foreach (Content page in _pages) page.Release();
            if (stack.FreesBadly) throw new InvalidOperationException("The fake device takes nothing back.");
        }
    }
}
