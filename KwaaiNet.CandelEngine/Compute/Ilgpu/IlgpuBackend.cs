using ILGPU.Runtime;
using ILGPU.Runtime.Cuda;
using KwaaiNet.CandelEngine.Compute.Blocks;
using KwaaiNet.CandelEngine.Compute.Ilgpu.Graphs;
using KwaaiNet.CandelEngine.Models;

namespace KwaaiNet.CandelEngine.Compute.Ilgpu;

/// <summary>Runs blocks on a GPU through ILGPU, or on ILGPU's CPU accelerator where that was allowed.</summary>
internal sealed class IlgpuBackend : IComputeBackend
{
    internal const string BackendName = "ilgpu";

    // A GPU wants many rows at a time; their scratch is on the device and small beside the weights.
    private const int DefaultPieceRows = 256;

    private readonly IlgpuDevice _device;
    private readonly int _pieceRows;
    private readonly ILaunchRecorder? _recorder;
    private bool _disposed;

    /// <param name="device">The device; the backend's from now on.</param>
    /// <param name="pieceRows">Rows that run together at most.</param>
    /// <param name="recorder">Records launches; null to launch one by one.</param>
    internal IlgpuBackend(IlgpuDevice device, int pieceRows = DefaultPieceRows, ILaunchRecorder? recorder = null)
    {
        _device = device;
        _pieceRows = pieceRows;
        _recorder = recorder;
    }

    public string Name => BackendName;

    public ComputeDevice Device => _device.Description;

    /// <summary>The open device, for what measures it.</summary>
    internal IlgpuDevice Opened => _device;

    /// <exception cref="ComputeUnavailableException">There is no device.</exception>
    internal static IlgpuBackend Open(IlgpuOptions options, int pieceRows = DefaultPieceRows)
    {
        List<string> problems = [];
        return IlgpuDevice.TryOpen(options, problems) is { } device
            ? new IlgpuBackend(device, pieceRows, RecorderFor(device, options))
            : throw new ComputeUnavailableException(
                $"ILGPU has no {(options.DeviceIndex is { } index ? $"device of number {index}" : "GPU")} that it can use. {string.Join(' ', problems)} "
                + "Install the GPU's driver (CUDA, or OpenCL 2.0 and later), or use the backend 'cpu'; 'kwaainet devices' shows what there is.");
    }

    /// <summary>Opens a GPU; null when there is none.</summary>
    /// <param name="options">Which.</param>
    /// <param name="problems">Why a driver or a card could not be used, one sentence each; null when nobody wants to know.</param>
    internal static IlgpuBackend? TryOpenGpu(IlgpuOptions options, List<string>? problems = null) =>
        IlgpuDevice.TryOpen(options with { AllowCpuAccelerator = false, ForceCpuAccelerator = false }, problems ?? []) is { } device
            ? new IlgpuBackend(device, DefaultPieceRows, RecorderFor(device, options))
            : null;

    public BlockMemory MemoryFor(ModelFile model, BlockStackOptions options)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(options);
        lock (_device.Gate) return new BlockMemory(MemoryOf(model, options).Bytes, _device.FreeBytes);
    }

    public IBlockStack Load(ModelFile model, BlockStackOptions options, IProgress<double>? progress = null, CancellationToken cancellationToken = default)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(options);

        lock (_device.Gate)
        {
            StackMemory memory = MemoryOf(model, options);
            long free = _device.FreeBytes;
            if (memory.Bytes > free) throw NoRoom(memory, free, null);

            IlgpuWeights? weights = null;
            try
            {
                weights = new IlgpuWeights(_device, memory.Tensors, progress, cancellationToken);
                return new IlgpuBlockStack(model.Shape, options, _device, weights, memory, _recorder);
            }
            catch (Exception e) when (e is OutOfMemoryException or AcceleratorException)
            {
                weights?.Dispose();
                throw NoRoom(memory, free, e);
            }
        }
    }

    public void Dispose()
    {
        if (_disposed) return;

        _disposed = true;
        _device.Dispose();
    }

    private static CudaLaunchRecorder? RecorderFor(IlgpuDevice device, IlgpuOptions options) =>
        options.Graphs && device.Accelerator is CudaAccelerator cuda ? new CudaLaunchRecorder(cuda) : null;

    private StackMemory MemoryOf(ModelFile model, BlockStackOptions options) =>
        StackMemory.Of(_device, model.Shape, options, RangeTensors.Find(model, options), _pieceRows);

    private InsufficientMemoryException NoRoom(StackMemory memory, long free, Exception? cause)
    {
        int blocks = memory.Tensors.Blocks.Length;
        return new InsufficientMemoryException(
            $"{(blocks == 1 ? "The block needs" : $"The {blocks} blocks need")} {memory.Bytes:N0} bytes on {Device.Name}, where {free:N0} are free: "
            + $"{memory.WeightBytes:N0} for weights, {memory.Activations.Bytes:N0} to compute in and {memory.Pages * memory.PageBytes:N0} for the KV cache. "
            + $"{memory.BlocksThatFit(free)} of them would fit, or more with a smaller KV budget.",
            cause);
    }
}
