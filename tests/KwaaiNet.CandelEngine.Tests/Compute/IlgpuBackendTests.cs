using KwaaiNet.CandelEngine.Compute;
using KwaaiNet.CandelEngine.Compute.Backends;
using KwaaiNet.CandelEngine.Compute.Cpu;
using KwaaiNet.CandelEngine.Compute.Ilgpu;
using KwaaiNet.CandelEngine.Tensors;

namespace KwaaiNet.CandelEngine.Tests.Compute;

/// <summary>The ilgpu backend keeps the common promises, on ILGPU's CPU accelerator.</summary>
public sealed class IlgpuBackendTests(ITestOutputHelper output) : ComputeBackendConformance(output)
{
    // A launch on the simulator takes milliseconds, and a token a hundred launches.
    protected override int Positions => 9;

    protected override bool RoundsActivations => true;

    protected override IComputeBackend CreateBackend() =>
        ComputeBackends.Create("ilgpu", new ComputeOptions { Ilgpu = new IlgpuOptions { ForceCpuAccelerator = true } });

    [Fact]
    public void The_simulator_says_that_it_is_one()
    {
        Assert.Equal("ilgpu", Backend.Name);
        Assert.Equal("cpu-accelerator", Backend.Device.Kind);
        Assert.True(Backend.Device.MemoryBytes > 0);
    }

    [Fact]
    public void A_device_that_goes_away_is_a_compute_fault_and_no_position_counts()
    {
        using SyntheticModel model = new(GgmlType.F32);
        IlgpuBackend backend = IlgpuBackend.Open(new IlgpuOptions { ForceCpuAccelerator = true });
        using StackChain chain = new(model.File, backend);
        using KvCache cache = chain.First.CreateCache(0, SyntheticModel.Blocks);
        BlockStep[] batch = [Step(cache, [1, 2], HiddenFormat.F16, out _)];
        chain.First.Run(batch);
        backend.Dispose();

        ComputeException fault = Assert.Throws<ComputeException>(() => chain.First.Run(batch));

        Assert.Contains(backend.Device.Name, fault.Message, StringComparison.Ordinal);
        Assert.Equal(2, cache.Length);
    }

    [Fact]
    public void A_batch_larger_than_a_piece_gives_the_same_bits()
    {
        using SyntheticModel model = new(GgmlType.Q8_0);
        int[] tokens = Tokens(12);
        using StackChain whole = new(model.File, Backend);
        float[][] expected = whole.Logits(tokens, 12);
        using IlgpuBackend backend = IlgpuBackend.Open(new IlgpuOptions { ForceCpuAccelerator = true }, pieceRows: 5);
        using StackChain pieces = new(model.File, backend);

        AssertSameBits(expected, pieces.Logits(tokens, 12));
    }

    [Theory]
    [MemberData(nameof(WeightTypes))]
    public void It_agrees_with_the_cpu_backend(GgmlType type)
    {
        using SyntheticModel model = new(type);
        using CpuBackend cpu = new(new CpuOptions { Threads = 1 });
        using StackChain here = new(model.File, Backend);
        using StackChain there = new(model.File, cpu);
        int[] tokens = Tokens(10);

        float[][] mine = here.Logits(tokens, 10, HiddenFormat.F32);
        float[][] theirs = there.Logits(tokens, 10, HiddenFormat.F32);

        // The processor rounds activations before they meet quantised weights, to 16 bits for Q8_0 and to 8 for Q4_0; this backend does not.
        float tolerance = type switch { GgmlType.Q4_0 => 1.5f, GgmlType.Q8_0 => 5e-3f, _ => 1e-4f };
        Assert.InRange(mine.Zip(theirs, (a, b) => a.Zip(b, (x, y) => MathF.Abs(x - y)).Max()).Max(), 0, tolerance);
    }

    [Fact]
    public void A_chain_of_both_backends_writes_what_one_backend_writes()
    {
        using SyntheticModel model = new(GgmlType.F32);
        using CpuBackend cpu = new(new CpuOptions { Threads = 1 });
        using StackChain alone = new(model.File, cpu);
        using StackChain mixed = new(model.File, [cpu, Backend], 2);
        using StackChain swapped = new(model.File, [Backend, cpu], 1);
        int[] prompt = Tokens(6);

        int[] expected = alone.Greedy(prompt, 8);

        Assert.Equal(expected, mixed.Greedy(prompt, 8));
        Assert.Equal(expected, swapped.Greedy(prompt, 8));
    }
}
