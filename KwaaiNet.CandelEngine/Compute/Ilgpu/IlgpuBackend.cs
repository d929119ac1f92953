using KwaaiNet.CandelEngine.Compute.Blocks;
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
    private bool _disposed;

    private IlgpuBackend(IlgpuDevice device, int pieceRows)
    {
        _device = device;
        _pieceRows = pieceRows;
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
            ? new IlgpuBackend(device, pieceRows)
            : throw new ComputeUnavailableException(
                $"ILGPU has no {(options.DeviceIndex is { } index ? $"device of number {index}" : "GPU")} that it can use. {string.Join(' ', problems)} "
                + "Install the GPU's driver (CUDA, or OpenCL 2.0 and later), or use the backend 'cpu'; 'kwaainet devices' shows what there is.");
    }

    /// <summary>Opens a GPU; null when there is none.</summary>
    /// <param name="options">Which.</param>
    /// <param name="problems">Why a driver or a card could not be used, one sentence each; null when nobody wants to know.</param>
    internal static IlgpuBackend? TryOpenGpu(IlgpuOptions options, List<string>? problems = null) =>
        IlgpuDevice.TryOpen(options with { AllowCpuAccelerator = false, ForceCpuAccelerator = false }, problems ?? []) is { } device
            ? new IlgpuBackend(device, DefaultPieceRows)
            : null;

    public BlockMemory MemoryFor(ModelFile model, BlockStackOptions options)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(options);
        long budget = options.KvBudgetBytes == long.MaxValue ? 0 : options.KvBudgetBytes;
        lock (_device.Gate) return new BlockMemory(DeviceMatrix.BytesOf(RangeTensors.Find(model, options)) + budget, _device.FreeBytes is > 0 and var free ? free : Device.MemoryBytes);
    }

    public IBlockStack Load(ModelFile model, BlockStackOptions options, IProgress<double>? progress = null, CancellationToken cancellationToken = default)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(options);

        RangeTensors tensors = RangeTensors.Find(model, options);
        long bytes = DeviceMatrix.BytesOf(tensors);
        if (bytes > Device.MemoryBytes) throw NoRoom(bytes, null);

        lock (_device.Gate)
        {
            IlgpuWeights? weights = null;
            try
            {
                weights = new IlgpuWeights(_device.Accelerator, _device.Kernels, model.Shape, tensors, progress, cancellationToken);
                return new IlgpuBlockStack(model.Shape, options, tensors, _device, weights, _pieceRows);
            }
            catch (Exception e) when (e is OutOfMemoryException or ILGPU.Runtime.AcceleratorException)
            {
                weights?.Dispose();
                throw NoRoom(bytes, e);
            }
        }
    }

    public void Dispose()
    {
        if (_disposed) return;

        _disposed = true;
        _device.Dispose();
    }

    private InsufficientMemoryException NoRoom(long bytes, Exception? cause) =>
        new($"The blocks need {bytes:N0} bytes and {Device.Name} has {Device.MemoryBytes:N0}, or less free.", cause);
}
