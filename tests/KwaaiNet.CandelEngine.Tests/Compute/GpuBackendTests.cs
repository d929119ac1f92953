using KwaaiNet.CandelEngine.Compute;
using KwaaiNet.CandelEngine.Compute.Ilgpu;

namespace KwaaiNet.CandelEngine.Tests.Compute;

/// <summary>The ilgpu backend on a real GPU, where the machine has one.</summary>
[Trait("Category", "Gpu")]
public sealed class GpuBackendTests(ITestOutputHelper output) : ComputeBackendConformance(output)
{
    protected override int Positions => 90;

    protected override bool RoundsActivations => true;

    protected override IComputeBackend CreateBackend()
    {
        IlgpuBackend? backend = IlgpuBackend.TryOpenGpu(new IlgpuOptions());
        Assert.SkipWhen(backend is null, "This machine has no GPU that ILGPU can use.");
        return backend;
    }
}
