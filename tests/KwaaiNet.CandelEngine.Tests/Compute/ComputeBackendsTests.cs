using KwaaiNet.CandelEngine.Compute;
using KwaaiNet.CandelEngine.Compute.Backends;
using KwaaiNet.CandelEngine.Compute.Ilgpu;

namespace KwaaiNet.CandelEngine.Tests.Compute;

public sealed class ComputeBackendsTests
{
    [Theory]
    [InlineData("cpu")]
    [InlineData("CPU")]
    public void Cpu_is_always_there(string name)
    {
        using IComputeBackend backend = ComputeBackends.Create(name);

        Assert.Equal("cpu", backend.Name);
        Assert.Equal("cpu", backend.Device.Kind);
        Assert.NotEmpty(backend.Device.Name);
        Assert.True(backend.Device.MemoryBytes > 0);
    }

    [Fact]
    public void Auto_takes_a_gpu_or_the_processor_and_never_the_simulator()
    {
        using IComputeBackend backend = ComputeBackends.Create("auto", new ComputeOptions { Ilgpu = new IlgpuOptions { AllowCpuAccelerator = true } });

        Assert.Contains(backend.Device.Kind, new[] { "cpu", "cuda", "opencl" });
    }

    [Fact]
    public void An_unknown_name_is_refused_with_the_known_ones()
    {
        ArgumentException refused = Assert.Throws<ArgumentException>(() => ComputeBackends.Create("abacus"));

        Assert.Contains("abacus", refused.Message, StringComparison.Ordinal);
        Assert.All(ComputeBackends.Names, n => Assert.Contains(n, refused.Message, StringComparison.Ordinal));
    }

    [Fact]
    public void Ilgpu_without_a_device_says_what_to_do()
    {
        // No machine has this many GPUs.
        ComputeOptions options = new() { Ilgpu = new IlgpuOptions { DeviceIndex = 1000 } };

        ComputeUnavailableException refused = Assert.Throws<ComputeUnavailableException>(() => ComputeBackends.Create("ilgpu", options));

        Assert.Contains("driver", refused.Message, StringComparison.Ordinal);
        Assert.Contains("'cpu'", refused.Message, StringComparison.Ordinal);
    }
}
