using KwaaiNet.CandelEngine.Compute;
using KwaaiNet.CandelEngine.Compute.Ilgpu.Arithmetic;
using KwaaiNet.CandelEngine.Compute.Ilgpu.Attention;
using KwaaiNet.CandelEngine.Models;

namespace KwaaiNet.CandelEngine.Tests.Compute.Attention;

/// <summary>Attention's kernels of both families: the same bits, and what the formula says.</summary>
public sealed class AttentionKernelTests(ITestOutputHelper output)
{
    [Theory]
    [InlineData(KvFormat.F32, 0, 0f)]
    [InlineData(KvFormat.F16, 0, 2f)]
    [InlineData(KvFormat.F32, 45, 0f)]
    public void Both_families_attend_alike_and_as_the_formula_says(KvFormat format, int window, float softcap)
    {
        // Five query heads to a key/value head: a whole tile and one with a single head. Past one split of 256 positions.
        const int Positions = 300;
        Random random = Seeded();
        ModelShape model = Model(heads: 5, kvHeads: 1, headSize: 24, new BlockAttention(window, null)) with { AttentionSoftcap = softcap };
        using AttentionBench bench = new(model, format, Positions);
        float[] product = Numbers(random, Positions * 7 * 24);
        bench.Place(product, Positions, null, cuda: false);
        int[] rows = [299, -1, 31, 256];
        float[] query = Numbers(random, rows.Length * 5 * 24);

        float[] portable = bench.AttendPortable(query, rows);

        for (int row = 0; row < rows.Length; row++)
        {
            for (int head = 0; head < 5; head++)
            {
                double[] expected = rows[row] < 0 ? new double[24] : Formula(query.AsSpan(((row * 5) + head) * 24, 24), product, rows[row], window, softcap, format);
                for (int e = 0; e < 24; e++) Assert.InRange(portable[(((row * 5) + head) * 24) + e], expected[e] - 2e-6, expected[e] + 2e-6);
            }
        }

        // One group for all splits of a row, or one for each: how the work is spread does not show.
        AssertSameBits(portable, bench.AttendCuda<AnyHead>(query, rows, splits: 1));
        AssertSameBits(portable, bench.AttendCuda<AnyHead>(query, rows, splits: 3));
    }

    [Theory]
    [InlineData(KvFormat.F32)]
    [InlineData(KvFormat.F16)]
    public void Heads_of_whole_blocks_go_straight_into_the_operand(KvFormat format)
    {
        const int Positions = 40;
        Random random = Seeded();
        using AttentionBench bench = new(Model(heads: 2, kvHeads: 2, headSize: 64, new BlockAttention(0, null)), format, Positions);
        bench.Place(Numbers(random, Positions * 6 * 64), Positions, null, cuda: false);
        float[] query = Numbers(random, 2 * 2 * 64);

        float[] portable = bench.AttendPortable(query, [39, 5]);

        Assert.Contains(portable, v => v != 0);
        AssertSameBits(portable, bench.AttendCuda<Head64>(query, [39, 5], splits: 1));
        AssertSameBits(portable, bench.AttendCuda<AnyHead>(query, [39, 5], splits: 1));
    }

    [Fact]
    public void Heads_beyond_128_take_two_fours_a_lane()
    {
        Random random = Seeded();
        using AttentionBench bench = new(Model(heads: 1, kvHeads: 1, headSize: 256, new BlockAttention(0, null)), KvFormat.F16, 40);
        bench.Place(Numbers(random, 40 * 3 * 256), 40, null, cuda: false);
        float[] query = Numbers(random, 256);

        AssertSameBits(bench.AttendPortable(query, [35]), bench.AttendCuda<Head256>(query, [35], splits: 1));
    }

    [Theory]
    [InlineData(KvFormat.F32, RopeStyle.Neighbours, false)]
    [InlineData(KvFormat.F16, RopeStyle.Halves, true)]
    public void Both_families_place_heads_alike(KvFormat format, RopeStyle style, bool norms)
    {
        // 20 numbers to a head, kept as 24; RoPE turns 12 of them.
        const int Positions = 35;
        Random random = Seeded();
        ModelShape model = Model(heads: 3, kvHeads: 1, headSize: 20, new BlockAttention(0, new RopeSettings(10_000f))) with { RopeStyle = style, RopeSize = 12 };
        float[] product = AttentionKernelTests.Numbers(random, Positions * 5 * 20);
        float[]? weights = norms ? AttentionKernelTests.Numbers(random, 40) : null;
        using AttentionBench portable = new(model, format, Positions);
        using AttentionBench cuda = new(model, format, Positions);

        (float[] query, Quad[] pages) = portable.Place(product, Positions, weights, cuda: false);
        (float[] cudaQuery, Quad[] cudaPages) = cuda.Place(product, Positions, weights, cuda: true);

        AssertSameBits(query, cudaQuery);
        Assert.Equal(pages.Select(Numbers), cudaPages.Select(Numbers));
        Assert.Contains(query, v => v != 0);
        Assert.Contains(pages, word => word.X != 0);

        static (int, int, int, int) Numbers(Quad word) => (word.X, word.Y, word.Z, word.W);
    }

    private static double[] Formula(ReadOnlySpan<float> query, float[] product, int position, int window, float softcap, KvFormat format)
    {
        int first = window > 0 ? Math.Max(0, position - window + 1) : 0;
        var weights = new double[position + 1 - first];
        for (int t = first; t <= position; t++)
        {
            double score = 0;
            for (int e = 0; e < 24; e++) score += query[e] * Kept(product[(((t * 7) + 5) * 24) + e]);
            score /= Math.Sqrt(24);
            weights[t - first] = softcap > 0 ? softcap * Math.Tanh(score / softcap) : score;
        }

        double most = weights.Max();
        for (int i = 0; i < weights.Length; i++) weights[i] = Math.Exp(weights[i] - most);
        double sum = weights.Sum();
        var result = new double[24];
        for (int e = 0; e < 24; e++)
        {
            for (int t = first; t <= position; t++) result[e] += weights[t - first] / sum * Kept(product[(((t * 7) + 6) * 24) + e]);
        }

        return result;

        double Kept(float value) => format == KvFormat.F32 ? value : (double)(Half)value;
    }

    private static ModelShape Model(int heads, int kvHeads, int headSize, BlockAttention attention) => new()
    {
        Architecture = "test",
        BlockCount = 1,
        Width = heads * headSize,
        HeadCount = heads,
        KvHeadCount = kvHeads,
        HeadSize = headSize,
        FeedForwardWidth = 32,
        VocabularySize = 32,
        ContextLength = 600,
        RmsEpsilon = 1e-5f,
        RopeBase = 10_000f,
        RopeSize = headSize,
        Attention = [attention],
    };

    private static float[] Numbers(Random random, int count) => [.. Enumerable.Range(0, count).Select(_ => (random.NextSingle() * 2) - 1)];

    private static void AssertSameBits(float[] expected, float[] actual) =>
        Assert.Equal(expected.Select(BitConverter.SingleToInt32Bits), actual.Select(BitConverter.SingleToInt32Bits));

    private Random Seeded()
    {
        int seed = Random.Shared.Next();
        output.WriteLine($"seed {seed}");
        return new Random(seed);
    }
}
