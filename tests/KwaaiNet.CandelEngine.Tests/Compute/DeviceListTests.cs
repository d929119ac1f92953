using System.Reflection;
using ILGPU;
using ILGPU.Backends.EntryPoints;
using ILGPU.Backends.PTX;
using ILGPU.Runtime.Cuda;
using KwaaiNet.CandelEngine.Compute;
using KwaaiNet.CandelEngine.Compute.Backends;
using KwaaiNet.CandelEngine.Compute.Checks;
using KwaaiNet.CandelEngine.Compute.Cpu;
using KwaaiNet.CandelEngine.Compute.Devices;
using KwaaiNet.CandelEngine.Compute.Ilgpu;

namespace KwaaiNet.CandelEngine.Tests.Compute;

/// <summary>What there is to compute on: listed on every machine, with or without drivers.</summary>
public sealed class DeviceListTests
{
    private readonly DeviceList _list = ComputeBackends.Devices();

    [Fact]
    public void The_processor_comes_first_and_the_simulator_last()
    {
        Assert.Equal(("cpu", null, "cpu"), (_list.Devices[0].Backend, _list.Devices[0].Index, _list.Devices[0].Device.Kind));
        Assert.Equal("cpu-accelerator", _list.Devices[^1].Device.Kind);
        Assert.Equal(Enumerable.Range(0, _list.Devices.Count - 1).Cast<int?>(), _list.Devices.Skip(1).Select(device => device.Index));
        Assert.All(_list.Devices, device => Assert.True(device.Device.MemoryBytes > 0 && device.Device.Name.Length > 0));
    }

    [Fact]
    public void A_kind_of_device_that_is_not_there_is_explained_with_a_remedy()
    {
        foreach ((string api, string kind) in new[] { ("CUDA", "cuda"), ("OpenCL", "opencl") })
        {
            DriverProblem? problem = _list.Problems.SingleOrDefault(problem => problem.Api == api);
            Assert.Equal(_list.Devices.All(device => device.Device.Kind != kind), problem is not null);
            if (problem is not null) Assert.True(problem.Message.Length > 0 && problem.Remedy.Length > 0);
        }
    }

    [Fact]
    public void Auto_is_the_device_that_auto_opens()
    {
        using IComputeBackend backend = ComputeBackends.Create("auto");

        Assert.Equal((backend.Name, backend.Device.Kind, backend.Device.Name), (_list.Auto.Backend, _list.Auto.Device.Kind, _list.Auto.Device.Name));
        Assert.Contains(_list.Auto, _list.Devices);
        Assert.NotEmpty(_list.AutoReason);
    }

    [Fact]
    public void A_number_opens_the_device_that_has_it()
    {
        using IComputeBackend backend = ComputeBackends.Create("ilgpu", new ComputeOptions { Ilgpu = new IlgpuOptions { DeviceIndex = _list.Devices[^1].Index } });

        Assert.Equal("cpu-accelerator", backend.Device.Kind);
    }

    [Fact]
    public void A_negative_number_is_refused() =>
        Assert.ThrowsAny<ArgumentException>(() => ComputeBackends.Create("ilgpu", new ComputeOptions { Ilgpu = new IlgpuOptions { DeviceIndex = -1 } }));

    [Fact]
    public void A_devices_bandwidth_is_measured_on_it_and_the_processors_is_left_to_who_has_its_threads()
    {
        using CpuBackend cpu = new(new CpuOptions { Threads = 1 });
        using IComputeBackend simulator = ComputeBackends.Create("ilgpu", new ComputeOptions { Ilgpu = new IlgpuOptions { ForceCpuAccelerator = true } });

        Assert.Null(DeviceBandwidth.Measure(cpu));
        Assert.True(DeviceBandwidth.Measure(simulator) > 0);
    }

    [Fact]
    public void The_sweep_reads_16_bytes_at_a_time()
    {
        MethodInfo kernel = typeof(BandwidthProbe).GetMethod(nameof(BandwidthProbe.Read), BindingFlags.Static | BindingFlags.NonPublic)!;
        using Context context = Context.Create(builder => builder.Optimize(OptimizationLevel.O2));
        using PTXBackend backend = new(context, CudaArchitecture.SM_80, CudaInstructionSet.ISA_80, null!);

        string ptx = ((PTXCompiledKernel)backend.Compile(EntryPointDescription.FromImplicitlyGroupedKernel(kernel), default)).PTXAssembly;

        Assert.True(ptx.Split("ld.global.v4").Length - 1 >= 4, ptx);
        Assert.DoesNotContain(".local", ptx, StringComparison.Ordinal);
    }
}
