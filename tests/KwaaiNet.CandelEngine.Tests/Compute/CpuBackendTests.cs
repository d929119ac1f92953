using KwaaiNet.CandelEngine.Compute;
using KwaaiNet.CandelEngine.Compute.Backends;
using KwaaiNet.CandelEngine.Compute.Cpu;
using KwaaiNet.CandelEngine.Compute.Cpu.Lanes;
using KwaaiNet.CandelEngine.Tensors;

namespace KwaaiNet.CandelEngine.Tests.Compute;

/// <summary>The cpu backend keeps the common promises, and those of its own: vector width, threads and allocation.</summary>
public sealed class CpuBackendTests(ITestOutputHelper output) : ComputeBackendConformance(output)
{
    // Past one page of 64 positions.
    protected override int Positions => 90;

    protected override bool RoundsActivations => true;

    protected override IComputeBackend CreateBackend() => new CpuBackend(new CpuOptions { Threads = 2 });

    [Theory]
    [MemberData(nameof(WeightTypes))]
    public void Every_vector_width_and_thread_count_gives_the_same_bits(GgmlType type)
    {
        using SyntheticModel model = new(type);
        int[] tokens = Tokens(70);
        float[][] expected = Logits(SimdTier.Scalar, 1);

        foreach (SimdTier tier in new[] { SimdTier.Vector128, SimdTier.Vector256, SimdTier.Vector512 })
        {
            AssertSameBits(expected, Logits(tier, 1));
            AssertSameBits(expected, Logits(tier, 3));
        }

        float[][] Logits(SimdTier tier, int threads)
        {
            using CpuBackend backend = new(new CpuOptions { Threads = threads }, tier);
            using StackChain chain = new(model.File, backend);
            return chain.Logits(tokens, 33);
        }
    }

    [Fact]
    public void A_batch_larger_than_a_piece_gives_the_same_bits()
    {
        using SyntheticModel model = new(GgmlType.Q8_0);
        int[] tokens = Tokens(40);
        using StackChain whole = new(model.File, Backend);
        float[][] expected = whole.Logits(tokens, 40);
        using CpuBackend backend = new(new CpuOptions { Threads = 2 }, pieceRows: 7);
        using StackChain pieces = new(model.File, backend);

        AssertSameBits(expected, pieces.Logits(tokens, 40));
        AssertSameBits(expected, pieces.Logits(tokens, 16));

        using KvCache a = pieces.First.CreateCache(0, 4);
        using KvCache b = pieces.First.CreateCache(0, 4);
        var lastOnly = new float[SyntheticModel.Vocabulary];
        pieces.First.Run([
            new BlockStep { Cache = a, Rows = 40, Tokens = tokens, Logits = lastOnly },
            Step(b, tokens[..17], HiddenFormat.F16, out float[] all),
        ]);
        AssertSameBits([expected[39]], [lastOnly]);
        AssertSameBits(expected[..17], [.. all.Chunk(SyntheticModel.Vocabulary)]);
    }

    [Fact]
    public void Running_allocates_nothing_once_warm()
    {
        using SyntheticModel model = new(GgmlType.Q8_0);
        using StackChain chain = new(model.File, Backend);
        using KvCache cache = chain.First.CreateCache(0, 4);
        BlockStep[] batch = [Step(cache, [5], HiddenFormat.F16, out _)];
        for (int i = 0; i < 20; i++) chain.First.Run(batch);

        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < 100; i++) chain.First.Run(batch);

        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    [Fact]
    public void A_negative_thread_count_is_refused() =>
        Assert.Throws<ArgumentOutOfRangeException>(() => ComputeBackends.Create("cpu", new ComputeOptions { Cpu = new CpuOptions { Threads = -1 } }));
}
