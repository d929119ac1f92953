using ILGPU;
using ILGPU.Runtime;
using ILGPU.Runtime.CPU;
using ILGPU.Runtime.Cuda;
using KwaaiNet.CandelEngine.Compute.Devices;
using KwaaiNet.CandelEngine.Compute.Ilgpu.Cuda;
using KwaaiNet.CandelEngine.Compute.Ilgpu.Devices;
using KwaaiNet.CandelEngine.Compute.Ilgpu.Kernels;
using KwaaiNet.CandelEngine.Compute.Ilgpu.Matrices.Launches;

namespace KwaaiNet.CandelEngine.Compute.Ilgpu;

/// <summary>An ILGPU context with one accelerator and the kernels compiled for it.</summary>
internal sealed class IlgpuDevice : IDisposable
{
    private readonly Context _context;

    private IlgpuDevice(Context context, Device device, KernelFamily? family)
    {
        _context = context;
        Accelerator = device.CreateAccelerator(context);
        UseOwnStream(Accelerator);
        KernelFamily chosen = family ?? KernelFamilies.Of(Accelerator);
        Kernels = BlockKernels.For(Accelerator, Launches, chosen);
        Matrices = new MatrixLaunches(Accelerator, chosen, Launches);
        string kind = device.AcceleratorType switch
        {
            AcceleratorType.Cuda => "cuda",
            AcceleratorType.OpenCL => "opencl",
            _ => "cpu-accelerator",
        };
        long memory = device.AcceleratorType == AcceleratorType.CPU ? HostMemory : device.MemorySize;
        Description = new ComputeDevice(kind, device.Name, memory);
    }

    internal Accelerator Accelerator { get; }

    /// <summary>The kernels of blocks.</summary>
    internal BlockKernels Kernels { get; }

    /// <summary>The kernels of weights.</summary>
    internal MatrixLaunches Matrices { get; }

    /// <summary>Kernels launched so far.</summary>
    internal LaunchCount Launches { get; } = new();

    /// <summary>Called before anything is run on the device. Null; tests make it fail as a device would.</summary>
    internal Action? BeforeRun { get; set; }

    internal ComputeDevice Description { get; }

    /// <summary>Device memory that is free: as the driver tells it, or what was never allocated here where none does.</summary>
    internal long FreeBytes => Accelerator is CudaAccelerator cuda ? cuda.GetFreeMemory() : Math.Max(0, Description.MemoryBytes - TakenBytes);

    /// <summary>Bytes that stacks have taken.</summary>
    internal long TakenBytes { get; set; }

    /// <summary>Held while anything is asked of the device: stacks on different threads share its one stream.</summary>
    internal object Gate { get; } = new();

    /// <summary>Memory that this process may use, for devices that are the processor in disguise.</summary>
    internal static long HostMemory => GC.GetGCMemoryInfo().TotalAvailableMemoryBytes;

    /// <summary>Opens what the options ask for: a device by its number, or the first GPU that can be used; null when there is none.</summary>
    /// <param name="options">Which.</param>
    /// <param name="problems">Why not, one sentence each.</param>
    internal static IlgpuDevice? TryOpen(IlgpuOptions options, List<string> problems)
    {
        if (options.DeviceIndex is { } wanted) ArgumentOutOfRangeException.ThrowIfNegative(wanted, nameof(options));
        if (options.ForceCpuAccelerator) return OpenCpuAccelerator();

        List<DriverProblem> missing = [];
        IReadOnlyList<FoundDevice> found = DeviceFinder.Find(missing);
        problems.AddRange(missing.Select(problem => $"{problem.Api}: {problem.Message}"));
        if (options.DeviceIndex is { } index)
            return index < found.Count ? TryOpen(found[index], problems) : null;

        IlgpuDevice? gpu = found.Where(device => device.IsUsableGpu).Select(device => TryOpen(device, problems)).FirstOrDefault(device => device is not null);
        return gpu ?? (options.AllowCpuAccelerator ? OpenCpuAccelerator() : null);
    }

    /// <summary>Opens ILGPU's CPU accelerator.</summary>
    /// <remarks>It runs a warp's threads in lockstep on as many real ones; the smallest warp it allows is the fastest for kernels without barriers.</remarks>
    internal static IlgpuDevice OpenCpuAccelerator()
    {
        Context context = CreateContext(b => b.CPU(new CPUDevice(numThreadsPerWarp: 2, numWarpsPerMultiprocessor: 1, numMultiprocessors: 1)));
        return Open(context, context.Devices[0]);
    }

    // What is launched on CUDA's own default stream cannot be recorded; ILGPU lets nobody else choose the stream that it launches on.
    private static void UseOwnStream(Accelerator accelerator)
    {
        if (accelerator is CudaAccelerator)
            typeof(Accelerator).GetProperty(nameof(Accelerator.DefaultStream))!.SetValue(accelerator, accelerator.CreateStream());
    }

    /// <summary>Opens ILGPU's CPU accelerator with warps of 32 and the kernels for CUDA, which then run by their plain C#.</summary>
    /// <remarks>A launch takes a second, since its barriers hold real threads: for tests of a block.</remarks>
    internal static IlgpuDevice OpenAsCuda()
    {
        Context context = CreateContext(b => b.CPU(new CPUDevice(numThreadsPerWarp: 32, numWarpsPerMultiprocessor: 16, numMultiprocessors: 1)));
        return Open(context, context.Devices[0], KernelFamily.Cuda);
    }

    /// <summary>Frees something of a device's. A device that has failed takes nothing back, and says so by throwing; the process that ends frees it.</summary>
    internal static void Release(Action free)
    {
        try
        {
            free();
        }
        catch (AcceleratorException)
        {
            // What failed before is the story; this is its echo.
        }
    }

    public void Dispose()
    {
        Release(Accelerator.Dispose);
        Release(_context.Dispose);
    }

    // A driver may fail in its own ways: missing parts, failing type initialisers, ILGPU's exceptions. Whatever it is, it is no reason to fall.
    private static IlgpuDevice? TryOpen(FoundDevice found, List<string> problems)
    {
        if (found.Device is null) return OpenCpuAccelerator();

        Context? context = null;
        try
        {
            context = CreateContext(found.Register);
            return Open(context, context.Devices.First(device => device.AcceleratorType != AcceleratorType.CPU));
        }
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            context?.Dispose();
            problems.Add($"{found.Device.Name}: {found.Problem ?? e.GetBaseException().Message}");
            return null;
        }
    }

    /// <summary>A context as every device of ours has it.</summary>
    internal static Context CreateContext(Action<Context.Builder> register) => Context.Create(builder =>
    {
        register(builder);
        builder.Optimize(OptimizationLevel.O2).WithPtxIntrinsics();
    });

    private static IlgpuDevice Open(Context context, Device device, KernelFamily? family = null)
    {
        try
        {
            return new IlgpuDevice(context, device, family);
        }
        catch
        {
            context.Dispose();
            throw;
        }
    }
}
