using KwaaiNet.CandelEngine.Compute.Cpu.Kernels;
using KwaaiNet.CandelEngine.Compute.Cpu.Packed.Activations;
using KwaaiNet.CandelEngine.Compute.Cpu.Packed.Formats;
using KwaaiNet.CandelEngine.Compute.Cpu.Packed.Kernels;
using KwaaiNet.CandelEngine.Compute.Cpu.Threads;

namespace KwaaiNet.CandelEngine.Compute.Cpu.Matrices;

/// <summary>Products of activation rows with up to three matrices, cut into shares of outputs that threads take.</summary>
/// <remarks>
/// How outputs are shared never shows in the result: an output is one thread's work from first product to last.
/// Products too small to be worth waking a thread for run on the calling one.
/// </remarks>
internal sealed unsafe class MatrixProduct : IDisposable
{
    // Multiplications below which waking other threads costs more than it saves; 300 k are about 5 µs of one core.
    private const long WorthSharing = 300_000;

    // Rows worth sharing while they are brought to integers: a row of some thousand numbers takes a few µs.
    private const int WorthSharingRows = 8;

    private readonly CpuKernels _kernels;
    private readonly PackedKernels _packedKernels;
    private readonly ComputePool _pool;
    private readonly Action<int, int> _multiplyShare;
    private readonly Action<int, int> _prepareRow;
    private readonly Part[] _parts = new Part[3];
    private readonly ActivationRows[] _activations = [new(), new(), new()]; // one of each kind
    private int _partCount;
    private float* _x;
    private int _xStride;
    private int _rows;
    private int _columns;
    private ActivationRows _preparing;

    internal MatrixProduct(CpuKernels kernels, PackedKernels packedKernels, ComputePool pool)
    {
        _kernels = kernels;
        _packedKernels = packedKernels;
        _pool = pool;
        _multiplyShare = MultiplyShare;
        _prepareRow = PrepareRow;
        _preparing = _activations[0];
    }

    /// <summary>Starts a product with rows <c>[firstRow, firstRow + rows)</c> of <paramref name="x"/>.</summary>
    internal MatrixProduct Of(ScratchMatrix x, int firstRow, int rows)
    {
        _x = x.Row(firstRow);
        _xStride = x.Stride;
        _rows = rows;
        _columns = x.Width;
        _partCount = 0;
        return this;
    }

    /// <summary>Adds a matrix; its results go to the same rows of <paramref name="y"/> as those of x.</summary>
    internal MatrixProduct With(CpuMatrix weights, ScratchMatrix y, int firstRow)
    {
        _parts[_partCount++] = new Part(weights, y.Row(firstRow), y.Stride);
        return this;
    }

    internal void Run()
    {
        int shares = 0;
        long multiplications = 0;
        int prepared = 0;
        for (int i = 0; i < _partCount; i++)
        {
            CpuMatrix weights = _parts[i].Weights;
            shares += weights.Shares;
            multiplications += (long)weights.Outputs * weights.Columns * _rows;
            if (weights.Packed is not { } packed || (prepared & (1 << (int)packed.Activations)) != 0) continue;

            Prepare(packed.Activations);
            prepared |= 1 << (int)packed.Activations;
        }

        if (multiplications >= WorthSharing)
        {
            _pool.For(shares, _multiplyShare);
            return;
        }

        for (int i = 0; i < _partCount; i++) Multiply(_parts[i], 0, _parts[i].Weights.Outputs);
    }

    public void Dispose()
    {
        foreach (ActivationRows activations in _activations) activations.Dispose();
    }

    private void Prepare(ActivationKind kind)
    {
        _preparing = _activations[(int)kind];
        _preparing.Reserve(kind, _rows, _columns);
        if (_rows >= WorthSharingRows)
        {
            _pool.For(_rows, _prepareRow);
            return;
        }

        for (int row = 0; row < _rows; row++) PrepareRow(row, 0);
    }

    private void PrepareRow(int row, int worker) => ActivationQuantizer.Quantize(_x + ((long)row * _xStride), _columns, _preparing, row);

    private void MultiplyShare(int share, int worker)
    {
        int part = 0;
        while (share >= _parts[part].Weights.Shares) share -= _parts[part++].Weights.Shares;

        CpuMatrix weights = _parts[part].Weights;
        int first = share * weights.Share;
        Multiply(_parts[part], first, Math.Min(first + weights.Share, weights.Outputs));
    }

    private void Multiply(in Part part, int first, int end)
    {
        if (part.Weights.Packed is { } packed)
        {
            int endGroup = (end + PackedUnit.Rows - 1) / PackedUnit.Rows;
            _packedKernels.Multiply(packed, first / PackedUnit.Rows, endGroup, _activations[(int)packed.Activations], part.Y + first, part.YStride);
            return;
        }

        _kernels.Multiply(part.Weights.Mapped, first, end, _x, _xStride, _rows, part.Y + first, part.YStride);
    }

    private readonly struct Part(CpuMatrix weights, float* y, int yStride)
    {
        internal readonly CpuMatrix Weights = weights;
        internal readonly float* Y = y;
        internal readonly int YStride = yStride;
    }
}
