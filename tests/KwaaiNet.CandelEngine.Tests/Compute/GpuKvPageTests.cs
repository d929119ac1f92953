using KwaaiNet.CandelEngine.Compute;
using KwaaiNet.CandelEngine.Compute.Ilgpu;

namespace KwaaiNet.CandelEngine.Tests.Compute;

/// <summary>The ilgpu backend's KV pages on a real GPU, where the machine has one.</summary>
[Trait("Category", "Gpu")]
public sealed class GpuKvPageTests(ITestOutputHelper output) : KvPageConformance(output)
{
    protected override int RandomOperations => 300;

    protected override IComputeBackend CreateBackend()
    {
        IlgpuBackend? backend = IlgpuBackend.TryOpenGpu(new IlgpuOptions());
        Assert.SkipWhen(backend is null, "This machine has no GPU that ILGPU can use.");
        return backend;
    }
}
