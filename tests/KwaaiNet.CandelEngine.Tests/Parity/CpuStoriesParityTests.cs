using KwaaiNet.CandelEngine.Compute;
using KwaaiNet.CandelEngine.Compute.Cpu;

namespace KwaaiNet.CandelEngine.Tests.Parity;

[Trait("Category", "Parity")]
public sealed class CpuStoriesParityTests(ITestOutputHelper output) : StoriesParity(output)
{
    protected override int Positions => int.MaxValue;

    protected override IComputeBackend CreateBackend() => new CpuBackend(new CpuOptions());
}
