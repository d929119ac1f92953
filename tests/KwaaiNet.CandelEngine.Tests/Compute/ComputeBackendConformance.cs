using KwaaiNet.CandelEngine.Compute;
using KwaaiNet.CandelEngine.Tensors;

namespace KwaaiNet.CandelEngine.Tests.Compute;

/// <summary>What every backend promises. A backend's own class derives from this and says how to make it.</summary>
[Trait("Category", "ComputeConformance")]
public abstract class ComputeBackendConformance(ITestOutputHelper output) : IDisposable
{
    private IComputeBackend? _backend;

    public static TheoryData<GgmlType> WeightTypes => [GgmlType.F32, GgmlType.F16, GgmlType.Q8_0, GgmlType.Q4_0];

    public static TheoryData<HiddenFormat> Boundaries => [HiddenFormat.F16, HiddenFormat.F32];

    /// <summary>Positions that tests run to: past a page where the backend is fast enough.</summary>
    protected abstract int Positions { get; }

    /// <summary>Whether the backend brings activations to integers before they meet quantised weights.</summary>
    protected virtual bool RoundsActivations => false;

    private protected IComputeBackend Backend => _backend ??= CreateBackend();

    protected abstract IComputeBackend CreateBackend();

    public void Dispose()
    {
        _backend?.Dispose();
        GC.SuppressFinalize(this);
    }

    [Theory]
    [MemberData(nameof(WeightTypes))]
    public void Logits_agree_with_a_forward_pass_in_double_precision(GgmlType type)
    {
        using SyntheticModel model = new(type);
        using StackChain chain = new(model.File, Backend);
        int[] tokens = Tokens(Positions);

        float[][] logits = chain.Logits(tokens, tokens.Length, HiddenFormat.F32);

        // Where float32 and double lie on either side of a rounding step, one activation of thousands is a step off.
        double tolerance = !RoundsActivations ? 1e-4 : type switch { GgmlType.Q4_0 => 0.1, GgmlType.Q8_0 => 5e-3, _ => 1e-4 };
        ReferenceModel reference = new(model.File) { RoundsActivations = RoundsActivations };
        Assert.InRange(Distance(logits, reference.Logits(tokens)), 0, tolerance);
    }

    [Fact]
    public void An_untied_output_matrix_is_used()
    {
        using SyntheticModel model = new(GgmlType.F16, tied: false);
        using StackChain chain = new(model.File, Backend);
        int[] tokens = Tokens(5);

        Assert.InRange(Distance(chain.Logits(tokens, 5, HiddenFormat.F32), new ReferenceModel(model.File).Logits(tokens)), 0, 1e-4);
    }

    [Fact]
    public void Frequency_divisors_turn_the_angles_that_the_reference_turns()
    {
        // As Llama 3.1 and later have them.
        using SyntheticModel model = new(GgmlType.F32, ropeDivisors: true);
        using StackChain chain = new(model.File, Backend);
        int[] tokens = Tokens(9);

        Assert.InRange(Distance(chain.Logits(tokens, 9, HiddenFormat.F32), new ReferenceModel(model.File).Logits(tokens)), 0, 1e-4);
    }

    [Theory]
    [MemberData(nameof(WeightTypes))]
    public void A_prompt_in_chunks_gives_the_bits_of_one_token_at_a_time(GgmlType type)
    {
        using SyntheticModel model = new(type);
        using StackChain chain = new(model.File, Backend);
        int[] tokens = Tokens(Positions);

        float[][] alone = chain.Logits(tokens, 1);

        foreach (int chunk in new[] { 2, 3, 7, tokens.Length }) AssertSameBits(alone, chain.Logits(tokens, chunk));
    }

    [Theory]
    [MemberData(nameof(WeightTypes))]
    public void Sessions_in_a_batch_get_the_bits_they_get_alone(GgmlType type)
    {
        using SyntheticModel model = new(type);
        using StackChain chain = new(model.File, Backend);
        IBlockStack stack = chain.First;
        int[][] sequences = [Tokens(9, seed: 1), Tokens(4, seed: 2), Tokens(7, seed: 3)];
        float[][][] alone = [.. sequences.Select(s => chain.Logits(s, 1))];

        // Two sessions prefill while the third decodes; then all decode, in another order.
        KvCache[] caches = [.. sequences.Select(s => stack.CreateCache(0, SyntheticModel.Blocks))];
        Run(stack, Step(caches[2], sequences[2][..6], HiddenFormat.F16, out _));
        stack.Run([
            Step(caches[0], sequences[0][..8], HiddenFormat.F16, out float[] a),
            Step(caches[2], sequences[2][6..], HiddenFormat.F16, out float[] c),
            Step(caches[1], sequences[1][..3], HiddenFormat.F16, out float[] b),
        ]);
        AssertSameBits(alone[0][..8], Rows(a));
        AssertSameBits(alone[1][..3], Rows(b));
        AssertSameBits(alone[2][6..], Rows(c));
        stack.Run([Step(caches[1], sequences[1][3..], HiddenFormat.F16, out b), Step(caches[0], sequences[0][8..], HiddenFormat.F16, out a)]);
        AssertSameBits(alone[0][8..], Rows(a));
        AssertSameBits(alone[1][3..], Rows(b));
        Assert.Equal([9, 4, 7], caches.Select(s => s.Length));
        foreach (KvCache cache in caches) cache.Dispose();
    }

    [Theory]
    [MemberData(nameof(Boundaries))]
    public void Where_the_stack_is_cut_does_not_show(HiddenFormat boundary)
    {
        using SyntheticModel model = new(GgmlType.Q8_0);
        int[] tokens = Tokens(Math.Min(Positions, 20));
        float[][] whole;
        using (StackChain chain = new(model.File, Backend)) whole = chain.Logits(tokens, 5, boundary);

        foreach (int[] cuts in new int[][] { [1], [2], [3], [1, 2], [1, 3], [2, 3], [1, 2, 3] })
        {
            using StackChain chain = new(model.File, Backend, cuts);
            AssertSameBits(whole, chain.Logits(tokens, 5, boundary));
        }
    }

    [Fact]
    public void Any_schedule_of_sessions_gives_the_bits_of_one_token_at_a_time()
    {
        int seed = Random.Shared.Next();
        output.WriteLine($"seed {seed}");
        Random random = new(seed);
        using SyntheticModel model = new(GgmlType.Q8_0);
        using StackChain chain = new(model.File, Backend);
        HiddenFormat[] boundaries = [HiddenFormat.F16, HiddenFormat.F32, HiddenFormat.F16];
        int[][] sequences = [.. boundaries.Select(_ => Tokens(Positions, random.Next()))];
        float[][][] expected = [.. sequences.Select((s, i) => chain.Logits(s, 1, boundaries[i]))];
        KvCache[] caches = [.. sequences.Select(s => chain.First.CreateCache(0, SyntheticModel.Blocks))];

        for (int round = 0; round < 12; round++)
        {
            List<(int Session, int At, float[] Logits)> wanted = [];
            List<BlockStep> batch = [];
            foreach (int session in random.GetItems([0, 1, 2], 3).Distinct())
            {
                KvCache cache = caches[session];
                if (cache.Length == Positions || random.Next(4) == 0) cache.Truncate(random.Next(cache.Length + 1));
                if (cache.Length == Positions) continue;

                int end = random.Next(cache.Length, Positions) + 1;
                batch.Add(Step(cache, sequences[session][cache.Length..end], boundaries[session], out float[] logits));
                wanted.Add((session, cache.Length, logits));
            }

            chain.First.Run([.. batch]);
            foreach ((int session, int at, float[] logits) in wanted)
            {
                float[][] rows = Rows(logits);
                AssertSameBits(expected[session][at..(at + rows.Length)], rows);
            }
        }

        foreach (KvCache cache in caches) cache.Dispose();
    }

    [Fact]
    public void A_session_fed_nonsense_spoils_only_itself()
    {
        using SyntheticModel model = new(GgmlType.F32);
        using StackChain chain = new(model.File, Backend);
        int[] tokens = Tokens(4);
        float[][] alone = chain.Logits(tokens, 4);
        float[] nonsense = [.. Enumerable.Range(0, 2 * SyntheticModel.Width).Select(i => (i % 3) switch { 0 => float.NaN, 1 => float.PositiveInfinity, _ => -3e38f })];
        using KvCache good = chain.First.CreateCache(0, 4);
        using KvCache bad = chain.First.CreateCache(0, 4);

        chain.First.Run([
            new BlockStep { Cache = bad, Rows = 2, Input = nonsense, Logits = new float[SyntheticModel.Vocabulary] },
            Step(good, tokens, HiddenFormat.F16, out float[] logits),
        ]);

        AssertSameBits(alone, Rows(logits));
    }

    [Fact]
    public void Rounding_at_boundaries_is_to_binary16()
    {
        using SyntheticModel model = new(GgmlType.F32);
        using StackChain chain = new(model.File, Backend);
        using KvCache cache = chain.First.CreateCache(0, 2);
        var rounded = new float[3 * SyntheticModel.Width];
        var exact = new float[3 * SyntheticModel.Width];

        Run(chain.First, new BlockStep { Cache = cache, Rows = 3, Tokens = new[] { 5, 6, 7 }, Output = rounded, Boundary = HiddenFormat.F16 });
        cache.Truncate(0);
        Run(chain.First, new BlockStep { Cache = cache, Rows = 3, Tokens = new[] { 5, 6, 7 }, Output = exact, Boundary = HiddenFormat.F32 });

        Assert.All(rounded, v => Assert.Equal((float)(Half)v, v));
        Assert.Contains(exact, v => (float)(Half)v != v);
        Assert.InRange(rounded.Zip(exact, (a, b) => Math.Abs(a - b)).Max(), 0, 0.01f);
    }

    [Fact]
    public void Values_beyond_binary16_saturate_at_the_boundary()
    {
        using SyntheticModel model = new(GgmlType.F32);
        using StackChain chain = new(model.File, Backend);
        using KvCache cache = chain.First.CreateCache(1, 2);
        var input = new float[SyntheticModel.Width];
        input[3] = 1e9f;
        input[4] = -1e9f;
        var output = new float[SyntheticModel.Width];

        Run(chain.First, new BlockStep { Cache = cache, Rows = 1, Input = input, Output = output, Boundary = HiddenFormat.F16 });

        Assert.Equal(65504f, output[3]);
        Assert.Equal(-65504f, output[4]);
    }

    [Fact]
    public void A_truncated_cache_replays_to_the_same_bits()
    {
        using SyntheticModel model = new(GgmlType.Q4_0);
        using StackChain chain = new(model.File, Backend, 2);
        int[] tokens = Tokens(12);
        using StackChain.Session session = chain.Open(12);
        float[][] first = [.. session.Run(tokens[..7]), .. session.Run(tokens[7..])];

        session.Truncate(3);
        float[][] again = [.. session.Run(tokens[3..4]), .. session.Run(tokens[4..])];
        AssertSameBits(first[3..], again);

        session.Truncate(0);
        AssertSameBits(first, session.Run(tokens));
    }

    [Fact]
    public void Sessions_over_parts_of_a_stack_make_up_the_whole()
    {
        using SyntheticModel model = new(GgmlType.F16);
        using StackChain chain = new(model.File, Backend);
        IBlockStack stack = chain.First;
        int[] tokens = Tokens(6);
        float[][] whole = chain.Logits(tokens, 6);
        using KvCache low = stack.CreateCache(0, 1);
        using KvCache middle = stack.CreateCache(1, 3);
        using KvCache high = stack.CreateCache(3, 4);
        using KvCache all = stack.CreateCache(0, 4);
        var afterLow = new float[6 * SyntheticModel.Width];
        var afterMiddle = new float[6 * SyntheticModel.Width];
        var logits = new float[6 * SyntheticModel.Vocabulary];

        // Steps over different parts may share a batch.
        BlockStep other = Step(all, tokens, HiddenFormat.F16, out float[] otherLogits);
        stack.Run([new BlockStep { Cache = low, Rows = 6, Tokens = tokens, Output = afterLow }, other]);
        Run(stack, new BlockStep { Cache = middle, Rows = 6, Input = afterLow, Output = afterMiddle });
        Run(stack, new BlockStep { Cache = high, Rows = 6, Input = afterMiddle, Logits = logits });

        AssertSameBits(whole, Rows(logits));
        AssertSameBits(whole, Rows(otherLogits));
    }

    [Fact]
    public void Logits_of_the_last_row_alone_are_those_of_all_rows()
    {
        using SyntheticModel model = new(GgmlType.F32);
        using StackChain chain = new(model.File, Backend);
        int[] tokens = Tokens(6);
        float[][] all = chain.Logits(tokens, 6);
        using KvCache cache = chain.First.CreateCache(0, SyntheticModel.Blocks);
        var last = new float[SyntheticModel.Vocabulary];

        Run(chain.First, new BlockStep { Cache = cache, Rows = 6, Tokens = tokens, Logits = last });

        AssertSameBits([all[5]], [last]);
    }

    [Fact]
    public void Steps_that_do_not_fit_are_refused_and_nothing_changes()
    {
        using SyntheticModel model = new(GgmlType.F32);
        using StackChain chain = new(model.File, Backend);
        using StackChain other = new(model.File, Backend);
        IBlockStack stack = chain.First;
        using KvCache good = stack.CreateCache(0, 4);
        using KvCache cache = stack.CreateCache(0, 4);
        using KvCache upper = stack.CreateCache(1, 3);
        using KvCache foreign = other.First.CreateCache(0, 4);
        KvCache disposed = stack.CreateCache(0, 4);
        disposed.Dispose();
        float[] hidden = new float[2 * SyntheticModel.Width];
        int[] two = [1, 2];
        BlockStep fine = Step(good, [3, 4], HiddenFormat.F16, out float[] expected);
        Run(stack, fine);
        float[] before = [.. expected];
        good.Truncate(0);
        int free = stack.KvFreePages;

        BlockStep[] bad =
        [
            new() { Cache = null!, Rows = 2, Tokens = two },
            new() { Cache = foreign, Rows = 2, Tokens = two },
            new() { Cache = disposed, Rows = 2, Tokens = two },
            new() { Cache = good, Rows = 2, Tokens = two },
            new() { Cache = cache, Rows = 0, Tokens = two },
            new() { Cache = cache, Rows = -1, Tokens = two },
            new() { Cache = cache, Rows = SyntheticModel.Context + 1, Tokens = new int[SyntheticModel.Context + 1] },
            new() { Cache = cache, Rows = int.MaxValue, Tokens = two },
            new() { Cache = cache, Rows = 2 },
            new() { Cache = cache, Rows = 2, Tokens = two, Input = hidden },
            new() { Cache = cache, Rows = 1, Tokens = two },
            new() { Cache = cache, Rows = 2, Tokens = new[] { 1, SyntheticModel.Vocabulary } },
            new() { Cache = cache, Rows = 2, Tokens = new[] { -1, 1 } },
            new() { Cache = upper, Rows = 2, Tokens = two },
            new() { Cache = upper, Rows = 1, Input = hidden },
            new() { Cache = upper, Rows = 2, Input = hidden, Logits = new float[SyntheticModel.Vocabulary] },
            new() { Cache = cache, Rows = 2, Tokens = two, Output = new float[5] },
            new() { Cache = cache, Rows = 2, Tokens = two, Logits = new float[5] },
            new() { Cache = cache, Rows = 2, Tokens = two, Boundary = (HiddenFormat)9 },
            null!,
        ];
        foreach (BlockStep step in bad)
        {
            Assert.ThrowsAny<ArgumentException>(() => stack.Run([fine, step]));
            Assert.Equal((0, 0, 0, free), (good.Length, cache.Length, upper.Length, stack.KvFreePages));
        }

        ArgumentException unknownToken = Assert.ThrowsAny<ArgumentException>(() => stack.Run([bad[11]]));
        Assert.Contains($"{SyntheticModel.Vocabulary}", unknownToken.Message, StringComparison.Ordinal);
        Run(stack, fine);
        AssertSameBits([before], [expected]);
    }

    [Fact]
    public void A_stack_that_holds_no_embedding_or_head_says_so()
    {
        using SyntheticModel model = new(GgmlType.F32);
        using IBlockStack stack = Load(model, new BlockStackOptions { FirstBlock = 0, EndBlock = 4 });
        using KvCache cache = stack.CreateCache(0, 4);
        float[] hidden = new float[SyntheticModel.Width];

        Assert.ThrowsAny<ArgumentException>(() => Run(stack, new BlockStep { Cache = cache, Rows = 1, Tokens = new[] { 1 } }));
        Assert.ThrowsAny<ArgumentException>(() =>
            Run(stack, new BlockStep { Cache = cache, Rows = 1, Input = hidden, Logits = new float[SyntheticModel.Vocabulary] }));
        Assert.ThrowsAny<ArgumentException>(() => Load(model, new BlockStackOptions { FirstBlock = 1, EndBlock = 4, Embedding = true }));
        Assert.ThrowsAny<ArgumentException>(() => Load(model, new BlockStackOptions { FirstBlock = 0, EndBlock = 3, OutputHead = true }));
        Assert.ThrowsAny<ArgumentException>(() => Load(model, new BlockStackOptions { FirstBlock = 0, EndBlock = 5 }));
    }

    [Fact]
    public void Loading_reports_progress_and_counts_a_tied_embedding_once()
    {
        using SyntheticModel model = new(GgmlType.F16);
        List<double> reports = [];
        using IBlockStack stack = Backend.Load(
            model.File,
            new BlockStackOptions { FirstBlock = 0, EndBlock = 4, Embedding = true, OutputHead = true },
            new Recorder(reports),
            TestContext.Current.CancellationToken);

        // The head shares the embedding's matrix, and brings nothing but its norm.
        using IBlockStack headless = Load(model, new BlockStackOptions { FirstBlock = 0, EndBlock = 4, Embedding = true });
        Assert.Equal(headless.WeightBytes + (SyntheticModel.Width * sizeof(float)), stack.WeightBytes);
        long bytes = model.File.TensorNames.Sum(n => model.File.TryGetTensor(n, out var tensor) ? tensor.ByteLength : 0);
        Assert.InRange(stack.WeightBytes, bytes, 2 * bytes);
        Assert.Equal(reports.Order(), reports);
        Assert.Equal(1, reports[^1]);

        using CancellationTokenSource cancelled = new();
        cancelled.Cancel();
        Assert.Throws<OperationCanceledException>(() => Backend.Load(model.File, stack.Options, null, cancelled.Token));
    }

    internal static int[] Tokens(int count, int seed = 7)
    {
        Random random = new(seed);
        return [.. Enumerable.Range(0, count).Select(_ => random.Next(SyntheticModel.Vocabulary))];
    }

    internal static void AssertSameBits(float[][] expected, float[][] actual)
    {
        Assert.Equal(expected.Length, actual.Length);
        for (int i = 0; i < expected.Length; i++)
            Assert.Equal(expected[i].Select(BitConverter.SingleToInt32Bits), actual[i].Select(BitConverter.SingleToInt32Bits));
    }

    internal static BlockStep Step(KvCache cache, int[] tokens, HiddenFormat boundary, out float[] logits)
    {
        logits = new float[tokens.Length * SyntheticModel.Vocabulary];
        return new BlockStep { Cache = cache, Rows = tokens.Length, Tokens = tokens, Logits = logits, Boundary = boundary };
    }

    private IBlockStack Load(SyntheticModel model, BlockStackOptions options) => Backend.Load(model.File, options, null, TestContext.Current.CancellationToken);

    private static void Run(IBlockStack stack, BlockStep step) => stack.Run([step]);

    private static float[][] Rows(float[] logits) => [.. logits.Chunk(SyntheticModel.Vocabulary)];

    private static double Distance(float[][] actual, double[][] expected) =>
        actual.Zip(expected, (a, e) => a.Zip(e, (x, y) => Math.Abs(x - y)).Max()).Max();

    private sealed class Recorder(List<double> reports) : IProgress<double>
    {
        public void Report(double value) => reports.Add(value);
    }
}
