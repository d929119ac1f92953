using KwaaiNet.CandelEngine.Compute;
using KwaaiNet.CandelEngine.Compute.Cpu;
using KwaaiNet.CandelEngine.Compute.Cpu.Lanes;
using KwaaiNet.CandelEngine.Tensors;

namespace KwaaiNet.CandelEngine.Tests.Compute;

/// <summary>The cpu backend runs every architecture, with the same bits in every vector width.</summary>
public sealed class CpuArchitectureTests : ArchitectureConformance
{
    protected override int Positions => 40;

    protected override IComputeBackend CreateBackend() => new CpuBackend(new CpuOptions { Threads = 2 });

    [Theory]
    [MemberData(nameof(Kinds))]
    public void Every_vector_width_and_thread_count_gives_the_same_bits(string kind)
    {
        using SyntheticModel model = new(SyntheticKind.Of(kind), GgmlType.F16);
        int[] tokens = ComputeBackendConformance.Tokens(30);
        float[][] expected = Logits(SimdTier.Scalar, 1);

        foreach (SimdTier tier in new[] { SimdTier.Vector128, SimdTier.Vector256, SimdTier.Vector512 })
            ComputeBackendConformance.AssertSameBits(expected, Logits(tier, 3));

        float[][] Logits(SimdTier tier, int threads)
        {
            using CpuBackend backend = new(new CpuOptions { Threads = threads }, tier);
            using StackChain chain = new(model.File, backend);
            return chain.Logits(tokens, 13, HiddenFormat.F32);
        }
    }

    [Theory]
    [InlineData("mixtral")]
    [InlineData("gemma3")]
    public void Running_allocates_nothing_once_warm(string kind)
    {
        using SyntheticModel model = new(SyntheticKind.Of(kind));
        using StackChain chain = new(model.File, Backend);
        using KvCache cache = chain.First.CreateCache(0, SyntheticModel.Blocks);
        BlockStep[] batch = [ComputeBackendConformance.Step(cache, [5], HiddenFormat.F32, out _)];
        for (int i = 0; i < 20; i++) chain.First.Run(batch);

        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < 100; i++) chain.First.Run(batch);

        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }
}
