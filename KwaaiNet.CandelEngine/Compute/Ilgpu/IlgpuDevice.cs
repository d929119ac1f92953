using ILGPU;
using ILGPU.Runtime;
using ILGPU.Runtime.CPU;
using ILGPU.Runtime.Cuda;
using ILGPU.Runtime.OpenCL;
using KwaaiNet.CandelEngine.Compute.Ilgpu.Cuda;

namespace KwaaiNet.CandelEngine.Compute.Ilgpu;

/// <summary>An ILGPU context with one accelerator and the kernels compiled for it.</summary>
internal sealed class IlgpuDevice : IDisposable
{
    private readonly Context _context;

    private IlgpuDevice(Context context, Device device)
    {
        _context = context;
        Accelerator = device.CreateAccelerator(context);
        Kernels = new KernelSet(Accelerator);
        string kind = device.AcceleratorType switch
        {
            AcceleratorType.Cuda => "cuda",
            AcceleratorType.OpenCL => "opencl",
            _ => "cpu-accelerator",
        };
        long memory = device.AcceleratorType == AcceleratorType.CPU ? GC.GetGCMemoryInfo().TotalAvailableMemoryBytes : device.MemorySize;
        Description = new ComputeDevice(kind, device.Name, memory);
    }

    internal Accelerator Accelerator { get; }

    internal KernelSet Kernels { get; }

    internal ComputeDevice Description { get; }

    /// <summary>Device memory not allocated, where the device tells it; else 0.</summary>
    internal long FreeBytes => Accelerator is CudaAccelerator cuda ? cuda.GetFreeMemory() : 0;

    /// <summary>Held while anything is asked of the device: stacks on different threads share its one stream.</summary>
    internal object Gate { get; } = new();

    /// <summary>Opens a GPU, CUDA before OpenCL; null when there is none.</summary>
    /// <param name="index">Which one, counted over both.</param>
    /// <param name="problems">Why a driver that was tried could not be used, one line each.</param>
    internal static IlgpuDevice? TryOpenGpu(int index, List<string> problems)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(index);
        int seen = 0;
        return TryOpen("CUDA", b => b.Cuda(), index, ref seen, problems)
            ?? TryOpen("OpenCL", b => b.OpenCL(d => d.DeviceType == CLDeviceType.CL_DEVICE_TYPE_GPU), index, ref seen, problems);
    }

    /// <summary>Opens ILGPU's CPU accelerator.</summary>
    /// <remarks>It runs a warp's threads in lockstep on as many real ones; the smallest warp it allows is the fastest for kernels without barriers.</remarks>
    internal static IlgpuDevice OpenCpuAccelerator()
    {
        Context context = CreateContext(b => b.CPU(new CPUDevice(numThreadsPerWarp: 2, numWarpsPerMultiprocessor: 1, numMultiprocessors: 1)));
        return Open(context, context.Devices[0]);
    }

    public void Dispose()
    {
        Accelerator.Dispose();
        _context.Dispose();
    }

    // Absent drivers show as missing libraries, failing type initialisers or ILGPU's own exceptions: whatever it is, it is no reason to fall.
    private static IlgpuDevice? TryOpen(string api, Action<Context.Builder> register, int index, ref int seen, List<string> problems)
    {
        Context? context = null;
        try
        {
            context = CreateContext(register);

            // A context in which nothing registered still lists ILGPU's CPU accelerator.
            Device[] gpus = [.. context.Devices.Where(d => d.AcceleratorType != AcceleratorType.CPU)];
            int here = index - seen;
            seen += gpus.Length;
            if (here >= 0 && here < gpus.Length) return Open(context, gpus[here]);

            context.Dispose();
            if (gpus.Length == 0) problems.Add($"{api}: no device.");
        }
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            context?.Dispose();
            problems.Add($"{api}: {e.GetBaseException().Message}");
        }

        return null;
    }

    private static Context CreateContext(Action<Context.Builder> register) => Context.Create(builder =>
    {
        register(builder);
        builder.Optimize(OptimizationLevel.O2).WithPtxIntrinsics();
    });

    private static IlgpuDevice Open(Context context, Device device)
    {
        try
        {
            return new IlgpuDevice(context, device);
        }
        catch
        {
            context.Dispose();
            throw;
        }
    }
}
