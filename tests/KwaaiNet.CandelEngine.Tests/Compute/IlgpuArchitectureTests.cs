using KwaaiNet.CandelEngine.Compute;
using KwaaiNet.CandelEngine.Compute.Backends;
using KwaaiNet.CandelEngine.Compute.Cpu;
using KwaaiNet.CandelEngine.Compute.Ilgpu;
using KwaaiNet.CandelEngine.Models;

namespace KwaaiNet.CandelEngine.Tests.Compute;

/// <summary>The ilgpu backend runs every architecture, on ILGPU's CPU accelerator.</summary>
public sealed class IlgpuArchitectureTests : ArchitectureConformance
{
    // Past a window of 7; a launch on the simulator takes milliseconds, and a token a hundred launches.
    protected override int Positions => 9;

    protected override IComputeBackend CreateBackend() =>
        ComputeBackends.Create("ilgpu", new ComputeOptions { Ilgpu = new IlgpuOptions { ForceCpuAccelerator = true } });

    [Theory]
    [MemberData(nameof(Kinds))]
    public void It_agrees_with_the_cpu_backend(string kind)
    {
        using SyntheticModel model = new(SyntheticKind.Of(kind));
        using CpuBackend cpu = new(new CpuOptions { Threads = 1 });
        using StackChain here = new(model.File, Backend);
        using StackChain there = new(model.File, cpu);
        int[] tokens = ComputeBackendConformance.Tokens(Positions);

        float[][] mine = here.Logits(tokens, tokens.Length, HiddenFormat.F32);
        float[][] theirs = there.Logits(tokens, tokens.Length, HiddenFormat.F32);

        // GELU rounds to 11 bits; beside the middle of two values the backends may go apart.
        float tolerance = model.File.Shape.Activation == GateActivation.GeluTanh ? 2e-3f : 1e-4f;
        Assert.InRange(mine.Zip(theirs, (a, b) => a.Zip(b, (x, y) => MathF.Abs(x - y)).Max()).Max(), 0, tolerance);
    }
}
