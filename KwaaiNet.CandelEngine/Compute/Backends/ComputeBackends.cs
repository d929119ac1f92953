using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using KwaaiNet.CandelEngine.Compute.Cpu;
using KwaaiNet.CandelEngine.Compute.Devices;
using KwaaiNet.CandelEngine.Compute.Ilgpu;

namespace KwaaiNet.CandelEngine.Compute.Backends;

/// <summary>Makes backends by the name a user types.</summary>
public static class ComputeBackends
{
    /// <summary>A GPU if there is one that ILGPU can use, else the processor.</summary>
    public const string Auto = "auto";

    /// <summary>Names that <see cref="Create"/> knows.</summary>
    public static IReadOnlyList<string> Names { get; } = [Auto, CpuBackend.BackendName, IlgpuBackend.BackendName];

    /// <summary>Makes a backend.</summary>
    /// <param name="name"><c>cpu</c>, <c>ilgpu</c> or <c>auto</c>; case does not matter.</param>
    /// <param name="options">Settings; null for the defaults.</param>
    /// <exception cref="ArgumentException">There is no backend of that name; the message lists those there are.</exception>
    /// <exception cref="ComputeUnavailableException"><c>ilgpu</c> was asked for and there is no device for it.</exception>
    public static IComputeBackend Create(string name, ComputeOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(name);
        options ??= new ComputeOptions();
        return name.ToLowerInvariant() switch
        {
            CpuBackend.BackendName => new CpuBackend(options.Cpu),
            IlgpuBackend.BackendName => IlgpuBackend.Open(options.Ilgpu),
            Auto => OpenBest(options),
            _ => throw new ArgumentException($"There is no compute backend '{name}'; there are {string.Join(", ", Names)}.", nameof(name)),
        };
    }

    /// <summary>What this machine can compute on, and what <see cref="Auto"/> would take. Cards are opened for a moment, to hear what they have free.</summary>
    /// <remarks>A missing driver is no exception: it stands in <see cref="DeviceList.Problems"/>.</remarks>
    public static DeviceList Devices()
    {
        ListedDevice processor = new()
        {
            Backend = CpuBackend.BackendName,
            Device = new ComputeDevice(CpuBackend.BackendName, ProcessorName.Read(), GC.GetGCMemoryInfo().TotalAvailableMemoryBytes),
            Architecture = $"{RuntimeInformation.ProcessArchitecture}, {VectorBits}-bit vectors",
            Units = Environment.ProcessorCount,
            IsGpu = false,
        };
        List<DriverProblem> problems = [];
        IReadOnlyList<ListedDevice> accelerators = DeviceLister.List(problems);
        ListedDevice? gpu = accelerators.FirstOrDefault(device => device.IsGpu && device.Problem is null);
        string reason = gpu is not null
            ? "it is the first GPU that can be used."
            : accelerators.FirstOrDefault(device => device.IsGpu) is { } broken
                ? $"{broken.Device.Name} cannot be used: {broken.Problem}"
                : "ILGPU sees no GPU; its CPU accelerator is a simulator, and never taken by itself.";
        return new DeviceList([processor, .. accelerators], problems, gpu ?? processor, reason);
    }

    private static IComputeBackend OpenBest(ComputeOptions options)
    {
        List<string> problems = [];
        if (IlgpuBackend.TryOpenGpu(options.Ilgpu, problems) is { } gpu) return gpu;

        foreach (string problem in problems) options.Told?.Invoke(problem);
        return new CpuBackend(options.Cpu);
    }

    private static int VectorBits => Vector512.IsHardwareAccelerated ? 512 : Vector256.IsHardwareAccelerated ? 256 : Vector128.IsHardwareAccelerated ? 128 : 64;
}
