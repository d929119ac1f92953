using KwaaiNet.CandelEngine.Compute;
using KwaaiNet.CandelEngine.Compute.Backends;
using KwaaiNet.CandelEngine.Compute.Checks;
using KwaaiNet.CandelEngine.Compute.Cpu;
using KwaaiNet.CandelEngine.Compute.Ilgpu;
using KwaaiNet.CandelEngine.Models;
using KwaaiNet.CandelEngine.Tensors;

namespace KwaaiNet.CandelEngine.Tests.Compute;

/// <summary>The check of a device's kernels finds what is wrong with them, and nothing where nothing is.</summary>
public sealed class DeviceCheckTests(ITestOutputHelper output)
{
    [Fact]
    public void The_processor_passes()
    {
        using CpuBackend backend = new(new CpuOptions());

        Assert.All(Check(backend), result => Assert.True(result.Passed, result.ToString()));
    }

    [Fact]
    public void The_simulator_passes()
    {
        using IComputeBackend backend = ComputeBackends.Create("ilgpu", new ComputeOptions { Ilgpu = new IlgpuOptions { ForceCpuAccelerator = true } });

        foreach (DeviceCheckResult result in Check(backend, GgmlType.F32, GgmlType.Q8_0, GgmlType.Q4_0, GgmlType.Q6_K))
        {
            output.WriteLine($"{result}");
            Assert.True(result.Passed, result.ToString());
        }
    }

    [Fact]
    public void Kernels_compile_for_cuda_without_a_card() => Assert.Contains("BandwidthProbe.Read", CudaCompilation.Run());

    [Fact]
    public void A_wrong_product_shows_as_an_error_beyond_rounding()
    {
        using FaultyBackend backend = new(batch =>
        {
            foreach (BlockStep step in batch)
            {
                for (int i = 0; i < step.Logits.Length; i += 16) step.Logits.Span[i] = 0; // as when one output of sixteen is never computed
            }
        });

        DeviceCheckResult result = Assert.Single(Check(backend, GgmlType.Q4_0));

        Assert.True(result.SameBits);
        Assert.True(result.RelativeError > result.Bound);
        Assert.False(result.Passed);
    }

    [Fact]
    public void A_result_that_depends_on_its_neighbours_shows_as_other_bits()
    {
        using FaultyBackend backend = new(batch =>
        {
            if (batch.Length > 1) batch[1].Logits.Span[0] = MathF.BitIncrement(batch[1].Logits.Span[0]);
        });

        DeviceCheckResult result = Assert.Single(Check(backend, GgmlType.F32));

        Assert.False(result.SameBits);
        Assert.False(result.Passed);
    }

    [Fact]
    public void A_device_that_fails_is_told_and_not_thrown()
    {
        using FaultyBackend backend = new(_ => throw new ComputeException("It is hot."));

        DeviceCheckResult result = Assert.Single(Check(backend, GgmlType.F16));

        Assert.Equal("It is hot.", result.Problem);
        Assert.False(result.Passed);
    }

    private static DeviceCheckResult[] Check(IComputeBackend backend, params GgmlType[] types) =>
        [.. DeviceCheck.Run(backend, types.Length > 0 ? types : null, TestContext.Current.CancellationToken)];

    private delegate void Fault(ReadOnlySpan<BlockStep> batch);

    /// <summary>The processor, with something done to its results.</summary>
    private sealed class FaultyBackend(Fault fault) : IComputeBackend
    {
        private readonly CpuBackend _inner = new(new CpuOptions { Threads = 1 });

        public string Name => "faulty";

        public ComputeDevice Device => _inner.Device;

        public BlockMemory MemoryFor(ModelFile model, BlockStackOptions options) => _inner.MemoryFor(model, options);

        public IBlockStack Load(ModelFile model, BlockStackOptions options, IProgress<double>? progress = null, CancellationToken cancellationToken = default) =>
            new Stack(_inner.Load(model, options, progress, cancellationToken), fault);

        public void Dispose() => _inner.Dispose();

        private sealed class Stack(IBlockStack inner, Fault fault) : IBlockStack
        {
            public ModelShape Shape => inner.Shape;

            public BlockStackOptions Options => inner.Options;

            public long WeightBytes => inner.WeightBytes;

            public long KvBytesPerBlockPosition => inner.KvBytesPerBlockPosition;

            public long KvFreeBytes => inner.KvFreeBytes;

            public int KvPagePositions => inner.KvPagePositions;

            public int KvPages => inner.KvPages;

            public int KvFreePages => inner.KvFreePages;

            public KvCache CreateCache(int firstBlock, int endBlock, ReadOnlySpan<KvPage> beginning = default) =>
                inner.CreateCache(firstBlock, endBlock, beginning);

            public void Run(ReadOnlySpan<BlockStep> batch)
            {
                inner.Run(batch);
                fault(batch);
            }

            public void Dispose() => inner.Dispose();
        }
    }
}
