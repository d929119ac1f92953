using KwaaiNet.CandelEngine.Compute.Blocks;
using KwaaiNet.CandelEngine.Compute.Cpu.Kernels;
using KwaaiNet.CandelEngine.Compute.Cpu.Lanes;
using KwaaiNet.CandelEngine.Compute.Cpu.Matrices;
using KwaaiNet.CandelEngine.Compute.Cpu.Packed.Kernels;
using KwaaiNet.CandelEngine.Compute.Cpu.Threads;
using KwaaiNet.CandelEngine.Models;

namespace KwaaiNet.CandelEngine.Compute.Cpu;

/// <summary>Runs blocks on the processor with vector instructions. Every vector width gives the same bits, so does every thread count.</summary>
internal sealed class CpuBackend : IComputeBackend
{
    internal const string BackendName = "cpu";

    private readonly ComputePool _pool;
    private readonly CpuKernels _kernels;
    private readonly PackedKernels _packedKernels;
    private readonly int _pieceRows;
    private bool _disposed;

    /// <param name="options">Threads.</param>
    /// <param name="tier">A vector width to use instead of the processor's widest: for tests.</param>
    /// <param name="pieceRows">Rows that run together at most: for tests.</param>
    internal CpuBackend(CpuOptions options, SimdTier? tier = null, int pieceRows = CpuBlockStack.DefaultPieceRows)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(options.Threads);
        _pool = new ComputePool(options.Threads == 0 ? Environment.ProcessorCount : options.Threads);
        _kernels = tier is { } forced ? CpuKernels.For(forced) : CpuKernels.Best;
        _packedKernels = tier is { } forcedToo ? PackedKernels.For(forcedToo) : PackedKernels.Best;
        _pieceRows = pieceRows;
        Device = new ComputeDevice(BackendName, ProcessorName.Read(), GC.GetGCMemoryInfo().TotalAvailableMemoryBytes);
    }

    public string Name => BackendName;

    public ComputeDevice Device { get; }

    public BlockMemory MemoryFor(ModelFile model, BlockStackOptions options)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(options);
        return new BlockMemory(RangeTensors.Find(model, options).Bytes, Device.MemoryBytes);
    }

    public IBlockStack Load(ModelFile model, BlockStackOptions options, IProgress<double>? progress = null, CancellationToken cancellationToken = default)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(options);

        RangeTensors tensors = RangeTensors.Find(model, options);
        long bytes = tensors.Bytes;
        if (bytes > Device.MemoryBytes)
            throw new InsufficientMemoryException($"The blocks need {bytes:N0} bytes and the machine has {Device.MemoryBytes:N0}.");

        MatrixLoader loader = new(model, _pool, bytes, progress, cancellationToken);
        try
        {
            CpuBlockStack stack = new(model.Shape, options, tensors, _kernels, _packedKernels, _pool, loader, _pieceRows);
            progress?.Report(1);
            return stack;
        }
        catch
        {
            loader.Free();
            throw;
        }
    }

    public void Dispose()
    {
        if (_disposed) return;

        _disposed = true;
        _pool.Dispose();
    }
}
