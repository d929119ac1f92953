using KwaaiNet.CandelEngine.Compute;
using KwaaiNet.CandelEngine.Compute.Backends;
using KwaaiNet.CandelEngine.Compute.Ilgpu;

namespace KwaaiNet.CandelEngine.Tests.Parity;

[Trait("Category", "Parity")]
public sealed class IlgpuStoriesParityTests(ITestOutputHelper output) : StoriesParity(output)
{
    // The simulator's pace.
    protected override int Positions => 64;

    protected override IComputeBackend CreateBackend() =>
        ComputeBackends.Create("ilgpu", new ComputeOptions { Ilgpu = new IlgpuOptions { ForceCpuAccelerator = true } });
}
