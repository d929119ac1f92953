using KwaaiNet.CandelEngine.Compute.Blocks;
using KwaaiNet.CandelEngine.Compute.Cpu.Kernels;
using KwaaiNet.CandelEngine.Models;

namespace KwaaiNet.CandelEngine.Compute.Cpu;

/// <summary>Runs blocks on the processor with vector instructions. Every vector width gives the same bits, so does every thread count.</summary>
internal sealed class CpuBackend : IComputeBackend
{
    internal const string BackendName = "cpu";

    private readonly ComputePool _pool;
    private readonly CpuKernels _kernels;
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
        _pieceRows = pieceRows;
        Device = new ComputeDevice(BackendName, ProcessorName.Read(), GC.GetGCMemoryInfo().TotalAvailableMemoryBytes);
    }

    public string Name => BackendName;

    public ComputeDevice Device { get; }

    public IBlockStack Load(ModelFile model, BlockStackOptions options, IProgress<double>? progress = null, CancellationToken cancellationToken = default)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(options);

        RangeTensors tensors = RangeTensors.Find(model, options);
        long bytes = tensors.Bytes;
        if (bytes > Device.MemoryBytes)
            throw new InsufficientMemoryException($"The blocks need {bytes:N0} bytes and the machine has {Device.MemoryBytes:N0}.");

        long touched = 0;
        foreach (TensorData tensor in tensors.All)
        {
            Touch(tensor, cancellationToken);
            touched += tensor.ByteLength;
            progress?.Report((double)touched / bytes);
        }

        return new CpuBlockStack(model.Shape, options, tensors, _kernels, _pool, _pieceRows);
    }

    public void Dispose()
    {
        if (_disposed) return;

        _disposed = true;
        _pool.Dispose();
    }

    // Brings the mapped pages in, so that loading takes the time it takes and the first token does not.
    private static unsafe void Touch(TensorData tensor, CancellationToken cancellationToken)
    {
        const int Page = 4096;
        const int PagesBetweenChecks = 4096;

        var source = (byte*)tensor.Address;
        for (long offset = 0, pages = 0; offset < tensor.ByteLength; offset += Page, pages++)
        {
            if (pages % PagesBetweenChecks == 0) cancellationToken.ThrowIfCancellationRequested();
            Volatile.Read(ref source[offset]);
        }
    }
}
