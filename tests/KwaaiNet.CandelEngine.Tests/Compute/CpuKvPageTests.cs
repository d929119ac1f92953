using KwaaiNet.CandelEngine.Compute;
using KwaaiNet.CandelEngine.Compute.Cpu;

namespace KwaaiNet.CandelEngine.Tests.Compute;

/// <summary>The cpu backend's KV pages.</summary>
public sealed class CpuKvPageTests(ITestOutputHelper output) : KvPageConformance(output)
{
    protected override int RandomOperations => 300;

    protected override IComputeBackend CreateBackend() => new CpuBackend(new CpuOptions { Threads = 2 });
}
