using ILGPU;
using ILGPU.Runtime;
using ILGPU.Runtime.Cuda;
using KwaaiNet.CandelEngine.Compute.Devices;
using KwaaiNet.CandelEngine.Compute.Ilgpu.Devices;

namespace KwaaiNet.CandelEngine.Compute.Ilgpu;

/// <summary>Describes what ILGPU can see, for people and programs.</summary>
internal static class DeviceLister
{
    /// <summary>Devices in the order of their numbers. Never throws because of a driver: what it says stands in the list.</summary>
    internal static IReadOnlyList<ListedDevice> List(List<DriverProblem> problems) => [.. DeviceFinder.Find(problems).Select(Describe)];

    private static ListedDevice Describe(FoundDevice found, int index)
    {
        string? problem = found.Problem;
        long? free = null;
        if (found.Device is CudaDevice && problem is null) (free, problem) = Open(found);
        return new ListedDevice
        {
            Backend = IlgpuBackend.BackendName,
            Index = index,
            Device = new ComputeDevice(found.Kind, found.Device?.Name ?? "ILGPU's CPU accelerator (a simulator, for tests)", found.Device?.MemorySize ?? IlgpuDevice.HostMemory),
            IsGpu = found.IsGpu,
            FreeBytes = free,
            Architecture = found.Architecture,
            Driver = found.Driver,
            Units = found.Device?.NumMultiprocessors,
            Problem = problem,
        };
    }

    // Only an open card tells what it has free, and only opening it shows that it can be: others may hold it exclusively.
    private static (long? Free, string? Problem) Open(FoundDevice found)
    {
        try
        {
            using Context context = Context.Create(found.Register);
            using Accelerator accelerator = context.Devices.First(device => device.AcceleratorType != AcceleratorType.CPU).CreateAccelerator(context);
            return (accelerator is CudaAccelerator cuda ? cuda.GetFreeMemory() : null, null);
        }
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            return (null, $"It cannot be opened: {e.GetBaseException().Message}");
        }
    }
}
