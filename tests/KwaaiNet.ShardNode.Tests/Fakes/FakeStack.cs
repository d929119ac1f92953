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
    private long _kvFreeBytes;

    public FakeStack(int firstBlock = 0, int endBlock = BlockCount, long kvBudget = 1 << 20, int context = 256, bool hiddenExceedsHalf = false)
    {
        Options = new BlockStackOptions
        {
            FirstBlock = firstBlock,
            EndBlock = endBlock,
            Embedding = firstBlock == 0,
            OutputHead = endBlock == BlockCount,
            KvBudgetBytes = kvBudget,
        };
        KvFreeBytes = kvBudget;
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

    public long KvFreeBytes
    {
        get
        {
            if (!LoopFails) return _kvFreeBytes;

            LoopFails = false;
            throw new InvalidOperationException("A fault of the loop's own.");
        }

        private set => _kvFreeBytes = value;
    }

    /// <summary>When set, every run waits for a permit: tests decide when the loop goes on.</summary>
    public SemaphoreSlim? Gate { get; set; }

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

    public KvCache CreateCache(int firstBlock, int endBlock, int capacity)
    {
        long bytes = KvBytesPerBlockPosition * (endBlock - firstBlock) * capacity;
        if (bytes > KvFreeBytes) throw new KvExhaustedException(bytes, KvFreeBytes);

        KvFreeBytes -= bytes;
        return new Cache(this, firstBlock, endBlock, capacity, bytes);
    }

    public void Run(ReadOnlySpan<BlockStep> batch)
    {
        int[] rows = new int[batch.Length];
        for (int i = 0; i < batch.Length; i++) rows[i] = batch[i].Rows;
        lock (_lock) _batches.Add(rows);
        Entered.Release();
        Gate?.Wait();
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
        if (cache.Disposed || cache.Length + step.Rows > cache.Capacity) throw new InvalidOperationException("The cache does not fit.");

        float[] hidden = new float[Width];
        for (int row = 0; row < step.Rows; row++)
        {
            for (int i = 0; i < Width; i++)
            {
                hidden[i] = step.Input.IsEmpty ? ((step.Tokens.Span[row] * 7) + i) % 31 : step.Input.Span[(row * Width) + i];
            }

            for (int block = cache.FirstBlock; block < cache.EndBlock; block++)
            {
                int seen = cache.Seen(block) % 13;
                for (int i = 0; i < Width; i++) hidden[i] = ((hidden[i] * 3) + block + seen + i) % 61;
                cache.Add(block, (int)hidden[0] + 1);
            }

            cache.Advance();
            if (!step.Output.IsEmpty) hidden.CopyTo(step.Output.Span[(row * Width)..]);
        }

        if (step.Logits.IsEmpty) return;

        step.Logits.Span.Clear();
        step.Logits.Span[(int)hidden.Sum() % PoisonToken] = 10;
    }

    private sealed class Cache(FakeStack stack, int firstBlock, int endBlock, int capacity, long bytes) : KvCache
    {
        private readonly int[] _seen = new int[endBlock - firstBlock];
        private int _length;

        public bool Disposed { get; private set; }

        public override int FirstBlock => firstBlock;

        public override int EndBlock => endBlock;

        public override int Length => _length;

        public override int Capacity => capacity;

        public override long Bytes => bytes;

        public int Seen(int block) => _seen[block - firstBlock];

        public void Add(int block, int value) => _seen[block - firstBlock] += value;

        public void Advance() => _length++;

        public override void Truncate(int length)
        {
            if (length != 0) throw new NotSupportedException();

            _length = 0;
            Array.Clear(_seen);
        }

        public override void Dispose()
        {
            if (Disposed) return;

            Disposed = true;
            stack.KvFreeBytes += bytes;
            if (stack.FreesBadly) throw new InvalidOperationException("The fake device takes nothing back.");
        }
    }
}
