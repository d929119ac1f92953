using KwaaiNet.CandelEngine.Compute;
using KwaaiNet.CandelEngine.Tensors;
using static KwaaiNet.CandelEngine.Tests.Compute.ComputeBackendConformance;

namespace KwaaiNet.CandelEngine.Tests.Compute;

/// <summary>What every backend promises of its KV pages: they are taken, shared, copied and given back, and no result shows it.</summary>
[Trait("Category", "ComputeConformance")]
public abstract class KvPageConformance(ITestOutputHelper output) : IDisposable
{
    private const int Blocks = SyntheticModel.Blocks;

    private readonly SyntheticModel _model = new(GgmlType.F32);
    private IComputeBackend? _backend;

    /// <summary>Operations of a random run: as many as the backend is fast for.</summary>
    protected virtual int RandomOperations => 60;

    private IComputeBackend Backend => _backend ??= CreateBackend();

    protected abstract IComputeBackend CreateBackend();

    public void Dispose()
    {
        _backend?.Dispose();
        _model.Dispose();
        GC.SuppressFinalize(this);
    }

    [Fact]
    public void A_budget_is_whole_pages_of_one_size()
    {
        using IBlockStack stack = Load(pages: 9, bytesMore: 5);

        Assert.Equal(0, 64 % stack.KvPagePositions);
        Assert.Equal((9, 9), (stack.KvPages, stack.KvFreePages));
        Assert.Equal(9 * PageBytes(stack), stack.KvFreeBytes);
        Assert.Equal(2L * SyntheticModel.KvHeads * SyntheticModel.HeadSize * sizeof(float), stack.KvBytesPerBlockPosition);
    }

    [Fact]
    public void A_session_takes_pages_one_by_one_as_it_grows()
    {
        using IBlockStack stack = Load(pages: 3 * Blocks);
        int page = stack.KvPagePositions;
        int[] tokens = Tokens((2 * page) + 1);
        float[][] expected = Alone(stack, tokens);
        using KvCache cache = stack.CreateCache(0, Blocks);
        Assert.Equal((0, 0, 0L, 3 * Blocks), (cache.Length, cache.Capacity, cache.Bytes, stack.KvFreePages));

        List<float[]> logits = [];
        foreach ((int length, int held) in new[] { (1, 1), (page, 1), (page + 1, 2), ((2 * page) - 1, 2), (2 * page, 2), ((2 * page) + 1, 3) })
        {
            logits.AddRange(Run(stack, cache, tokens[cache.Length..length]));
            Assert.Equal((length, held * page), (cache.Length, cache.Capacity));
            Assert.Equal((held * Blocks * PageBytes(stack), (3 - held) * Blocks), (cache.Bytes, stack.KvFreePages));
        }

        AssertSameBits(expected, [.. logits]);
        cache.Dispose();
        cache.Dispose();
        Assert.Equal(3 * Blocks, stack.KvFreePages);
    }

    [Fact]
    public void Room_is_reserved_ahead_or_not_at_all()
    {
        using IBlockStack stack = Load(pages: (2 * Blocks) + 1);
        int page = stack.KvPagePositions;
        using KvCache cache = stack.CreateCache(0, Blocks);
        using KvCache part = stack.CreateCache(1, 3);

        Assert.True(cache.TryReserve(0));
        Assert.True(cache.TryReserve(1));
        Assert.True(cache.TryReserve(page));
        Assert.Equal((page, 0, Blocks + 1), (cache.Capacity, cache.Length, stack.KvFreePages));
        Assert.False(cache.TryReserve((2 * page) + 1));
        Assert.False(part.TryReserve((2 * page) + 1));
        Assert.Equal((page, 0, Blocks + 1), (cache.Capacity, part.Capacity, stack.KvFreePages));
        Assert.True(part.TryReserve(page + 1));
        Assert.Equal(((2 * page), 1), (part.Capacity, stack.KvFreePages));
        Assert.Throws<ArgumentOutOfRangeException>(() => cache.TryReserve(SyntheticModel.Context + 1));
        Assert.Throws<ArgumentOutOfRangeException>(() => cache.TryReserve(-1));

        // What was reserved and not used goes back when the session is told its length.
        part.Truncate(0);
        Assert.Equal((0, Blocks + 1), (part.Capacity, stack.KvFreePages));
        part.Dispose();
        Assert.Throws<ObjectDisposedException>(() => part.TryReserve(1));
    }

    [Fact]
    public void A_batch_that_the_pages_do_not_suffice_for_does_not_run_and_changes_nothing()
    {
        using IBlockStack stack = Load(pages: (2 * Blocks) + 1);
        int page = stack.KvPagePositions;
        int[] tokens = Tokens(page + 1);
        using KvCache grows = stack.CreateCache(0, Blocks);
        using KvCache starts = stack.CreateCache(0, Blocks);
        Run(stack, grows, tokens[..page]);

        KvExhaustedException refused = Assert.Throws<KvExhaustedException>(() => stack.Run(
            [Step(grows, tokens[page..], HiddenFormat.F16, out _), Step(starts, tokens[..2], HiddenFormat.F16, out _)]));

        Assert.Equal((2 * Blocks * PageBytes(stack), (Blocks + 1) * PageBytes(stack)), (refused.RequestedBytes, refused.FreeBytes));
        Assert.Equal((page, page, 0, 0, Blocks + 1), (grows.Length, grows.Capacity, starts.Length, starts.Capacity, stack.KvFreePages));
        AssertSameBits(Alone(stack, tokens)[page..], Run(stack, grows, tokens[page..]));
    }

    [Fact]
    public void Sessions_that_begin_alike_share_pages_and_get_the_bits_of_sessions_that_do_not()
    {
        using IBlockStack stack = Load(pages: 6 * Blocks);
        int page = stack.KvPagePositions;
        int[] common = Tokens(page, seed: 1);
        int[][] sequences = [[.. common, .. Tokens(3, seed: 2)], [.. common, .. Tokens(5, seed: 3)]];
        float[][][] expected = [.. sequences.Select(s => Alone(stack, s))];
        KvCache first = stack.CreateCache(0, Blocks);
        Run(stack, first, sequences[0]);
        KvPage shared = first.Share(0);
        Assert.Equal((0, Blocks, Blocks * PageBytes(stack)), (shared.FirstBlock, shared.EndBlock, shared.Bytes));
        Assert.Equal(4 * Blocks, stack.KvFreePages);

        // The page outlives the session that filled it, and serves many.
        first.Dispose();
        Assert.Equal(5 * Blocks, stack.KvFreePages);
        KvCache[] caches = [stack.CreateCache(0, Blocks, [shared]), stack.CreateCache(0, Blocks, [shared])];
        Assert.All(caches, cache => Assert.Equal((page, page), (cache.Length, cache.Capacity)));
        Assert.Equal(5 * Blocks, stack.KvFreePages);
        shared.Dispose();
        shared.Dispose();

        stack.Run([
            Step(caches[0], sequences[0][page..], HiddenFormat.F16, out float[] a),
            Step(caches[1], sequences[1][page..], HiddenFormat.F16, out float[] b),
        ]);

        AssertSameBits(expected[0][page..], Rows(a));
        AssertSameBits(expected[1][page..], Rows(b));
        Assert.Equal(3 * Blocks, stack.KvFreePages);
        caches[0].Dispose();
        Assert.Equal(4 * Blocks, stack.KvFreePages);
        caches[1].Dispose();
        Assert.Equal(6 * Blocks, stack.KvFreePages);
    }

    [Fact]
    public void A_session_over_fewer_blocks_begins_with_its_part_of_a_page()
    {
        using IBlockStack stack = Load(pages: 6 * Blocks);
        int page = stack.KvPagePositions;
        int[] tokens = Tokens(page + 2);
        using KvCache whole = stack.CreateCache(0, Blocks);
        var hidden = new float[tokens.Length * SyntheticModel.Width];
        using KvCache low = stack.CreateCache(0, 1);
        stack.Run([new BlockStep { Cache = low, Rows = tokens.Length, Tokens = tokens, Output = hidden }]);
        float[][] expected = Run(stack, whole, tokens);
        using KvPage shared = whole.Share(0);

        using KvCache high = stack.CreateCache(1, Blocks, [shared]);
        var logits = new float[2 * SyntheticModel.Vocabulary];
        stack.Run([new BlockStep { Cache = high, Rows = 2, Input = hidden.AsMemory(page * SyntheticModel.Width), Logits = logits }]);

        AssertSameBits(expected[page..], Rows(logits));
    }

    [Fact]
    public void A_shared_page_is_copied_before_it_is_written_and_stays_as_it_is_for_the_others()
    {
        using IBlockStack stack = Load(pages: 4 * Blocks);
        int page = stack.KvPagePositions;
        int[] tokens = Tokens(page + 2, seed: 1);
        int[] branch = [.. tokens[..(page - 2)], .. Tokens(2, seed: 2)];
        float[][] expected = Alone(stack, tokens);
        float[][] expectedBranch = Alone(stack, branch);
        using KvCache cache = stack.CreateCache(0, Blocks);
        Run(stack, cache, tokens[..page]);
        using KvPage shared = cache.Share(0);
        using KvCache other = stack.CreateCache(0, Blocks, [shared]);

        // Cutting back costs nothing; writing costs a page, and is refused whole when there is none.
        cache.Truncate(page - 2);
        Assert.Equal((page - 2, page - 2, 3 * Blocks), (cache.Length, cache.Capacity, stack.KvFreePages));
        using (KvCache hog = stack.CreateCache(0, Blocks))
        {
            Assert.True(hog.TryReserve(Math.Min(3 * page, SyntheticModel.Context)));
            Assert.False(cache.TryReserve(page - 1));
            Assert.Equal((page - 2, 0), (cache.Capacity, stack.KvFreePages));
        }

        AssertSameBits(expectedBranch[(page - 2)..], Run(stack, cache, branch[(page - 2)..]));
        Assert.Equal((page, 2 * Blocks), (cache.Capacity, stack.KvFreePages));
        AssertSameBits(expected[page..], Run(stack, other, tokens[page..]));
    }

    [Fact]
    public void A_page_whose_other_holders_have_gone_is_written_in_place()
    {
        using IBlockStack stack = Load(pages: Blocks);
        int page = stack.KvPagePositions;
        int[] tokens = Tokens(page);
        float[][] expected = Alone(stack, tokens);
        using KvCache cache = stack.CreateCache(0, Blocks);
        Run(stack, cache, tokens);
        KvPage shared = cache.Share(0);
        cache.Truncate(page - 3);
        Assert.False(cache.TryReserve(page));
        shared.Dispose();

        AssertSameBits(expected[^3..], Run(stack, cache, tokens[^3..]));
    }

    [Fact]
    public void A_cut_session_gives_pages_back_and_replays_to_the_same_bits()
    {
        using IBlockStack stack = Load(pages: 6 * Blocks);
        int page = stack.KvPagePositions;
        int[] tokens = Tokens((2 * page) + 2);
        float[][] expected = Alone(stack, tokens);
        using KvCache cache = stack.CreateCache(0, Blocks);
        Run(stack, cache, tokens);

        foreach ((int length, int held) in new[] { (2 * page, 2), (page + 1, 2), (page, 1), (3, 1), (0, 0) })
        {
            cache.Truncate(length);
            Assert.Equal((length, held * page, (6 - held) * Blocks), (cache.Length, cache.Capacity, stack.KvFreePages));
        }

        // Its pages are somebody else's meanwhile.
        using (KvCache other = stack.CreateCache(0, Blocks)) Run(stack, other, Tokens(page + 1, seed: 9));
        AssertSameBits(expected, Run(stack, cache, tokens));
    }

    [Fact]
    public void Only_filled_pages_of_the_same_stack_that_cover_the_blocks_are_begun_with()
    {
        using IBlockStack stack = Load(pages: 4 * Blocks);
        using IBlockStack other = Load(pages: 4 * Blocks);
        int page = stack.KvPagePositions;
        using KvCache cache = stack.CreateCache(0, 2);
        stack.Run([new BlockStep { Cache = cache, Rows = page + 1, Tokens = Tokens(page + 1) }]);
        KvPage shared = cache.Share(0);
        int free = stack.KvFreePages;

        Assert.Throws<ArgumentOutOfRangeException>(() => cache.Share(1));
        Assert.Throws<ArgumentOutOfRangeException>(() => cache.Share(-1));
        Assert.ThrowsAny<ArgumentException>(() => stack.CreateCache(0, 3, [shared]));
        Assert.ThrowsAny<ArgumentException>(() => stack.CreateCache(1, 3, [shared]));
        Assert.ThrowsAny<ArgumentException>(() => other.CreateCache(0, 2, [shared]));
        Assert.ThrowsAny<ArgumentException>(() => stack.CreateCache(0, 2, [.. Enumerable.Repeat(shared, (SyntheticModel.Context / page) + 1)]));
        shared.Dispose();
        Assert.ThrowsAny<ArgumentException>(() => stack.CreateCache(0, 2, [shared]));
        Assert.Equal(free, stack.KvFreePages);
        cache.Dispose();
        Assert.Throws<ObjectDisposedException>(() => cache.Share(0));
    }

    [Fact]
    public void Pages_and_caches_may_be_given_back_after_their_stack()
    {
        IBlockStack stack = Load(pages: 2 * Blocks);
        KvCache cache = stack.CreateCache(0, Blocks);
        Run(stack, cache, Tokens(stack.KvPagePositions));
        KvPage shared = cache.Share(0);

        stack.Dispose();

        cache.Dispose();
        shared.Dispose();
        Assert.Throws<ObjectDisposedException>(() => stack.CreateCache(0, Blocks));
    }

    [Fact]
    public void Whatever_sessions_do_no_page_is_mixed_up_or_lost()
    {
        int seed = Random.Shared.Next();
        output.WriteLine($"seed {seed}");
        Random random = new(seed);
        using IBlockStack stack = Load(pages: 6 * Blocks);
        int page = stack.KvPagePositions;
        int context = Math.Min(SyntheticModel.Context, (2 * page) + 9);

        // All sequences begin alike for a page and a bit: what is shared is right for every one of them.
        int[] common = Tokens(page + 3, seed);
        int[][] sequences = [.. Enumerable.Range(0, 3).Select(i => (int[])[.. common, .. Tokens(context - common.Length, seed + 1 + i)])];
        float[][][] expected = [.. sequences.Select(s => Alone(stack, s))];
        List<(KvCache Cache, int Sequence)> open = [];
        List<KvPage> shared = [];

        for (int i = 0; i < RandomOperations; i++)
        {
            int sequence = random.Next(sequences.Length);
            int which = open.Count == 0 ? 0 : random.Next(open.Count);
            switch (random.Next(6))
            {
                case 0 when open.Count < 6:
                    open.Add((stack.CreateCache(0, Blocks), sequence));
                    break;
                case 1 when shared.Count > 0:
                    open.Add((stack.CreateCache(0, Blocks, [shared[random.Next(shared.Count)]]), sequence));
                    break;
                case 2 when open.Count > 0 && open[which].Cache.Length >= page && shared.Count < 3:
                    shared.Add(open[which].Cache.Share(0));
                    break;
                case 3 when open.Count > 0:
                    if (random.Next(2) == 0)
                    {
                        open[which].Cache.Truncate(random.Next(open[which].Cache.Length + 1));
                        break;
                    }

                    open[which].Cache.Dispose();
                    open.RemoveAt(which);
                    break;
                case 4 when shared.Count > 0 && random.Next(2) == 0:
                    shared[0].Dispose();
                    shared.RemoveAt(0);
                    break;
                default:
                    Advance(open.Count == 0 ? null : open[which]);
                    break;
            }

            Assert.InRange(stack.KvFreePages, 0, stack.KvPages);
        }

        foreach ((KvCache cache, _) in open) cache.Dispose();
        foreach (KvPage left in shared) left.Dispose();
        Assert.Equal(stack.KvPages, stack.KvFreePages);

        void Advance((KvCache Cache, int Sequence)? session)
        {
            if (session is not { } found || found.Cache.Length == context) return;

            KvCache cache = found.Cache;
            int start = cache.Length;
            int end = random.Next(start, context) + 1;
            int free = stack.KvFreePages;
            try
            {
                float[][] logits = Run(stack, cache, sequences[found.Sequence][start..end]);
                AssertSameBits(expected[found.Sequence][start..end], logits);
            }
            catch (KvExhaustedException)
            {
                Assert.Equal((start, free), (cache.Length, stack.KvFreePages));
            }
        }
    }

    private static long PageBytes(IBlockStack stack) => stack.KvPagePositions * stack.KvBytesPerBlockPosition;

    private static float[][] Run(IBlockStack stack, KvCache cache, int[] tokens)
    {
        stack.Run([Step(cache, tokens, HiddenFormat.F16, out float[] logits)]);
        return Rows(logits);
    }

    private static float[][] Rows(float[] logits) => [.. logits.Chunk(SyntheticModel.Vocabulary)];

    // A session by itself, on a stack of its own.
    private float[][] Alone(IBlockStack like, int[] tokens)
    {
        using IBlockStack stack = Load(pages: Blocks * ((tokens.Length / like.KvPagePositions) + 1));
        using KvCache cache = stack.CreateCache(0, Blocks);
        return Run(stack, cache, tokens);
    }

    private IBlockStack Load(int pages, long bytesMore = 0)
    {
        BlockStackOptions options = new() { FirstBlock = 0, EndBlock = Blocks, Embedding = true, OutputHead = true };
        long pageBytes;
        using (IBlockStack any = Backend.Load(_model.File, options, null, TestContext.Current.CancellationToken)) pageBytes = PageBytes(any);
        return Backend.Load(_model.File, options with { KvBudgetBytes = (pages * pageBytes) + bytesMore }, null, TestContext.Current.CancellationToken);
    }
}
