using KwaaiNet.CandelEngine.Compute;
using KwaaiNet.CandelEngine.Compute.Backends;
using KwaaiNet.CandelEngine.Compute.Ilgpu;

namespace KwaaiNet.CandelEngine.Tests.Compute;

/// <summary>The ilgpu backend's KV pages, on ILGPU's CPU accelerator.</summary>
public sealed class IlgpuKvPageTests(ITestOutputHelper output) : KvPageConformance(output)
{
    protected override IComputeBackend CreateBackend() =>
        ComputeBackends.Create("ilgpu", new ComputeOptions { Ilgpu = new IlgpuOptions { ForceCpuAccelerator = true } });
}
