using KwaaiNet.CandelEngine.Compute.Cpu.Kernels;

namespace KwaaiNet.CandelEngine.Compute.Cpu;

/// <summary>Products of activation rows with up to three matrices, cut into shares of outputs that threads take.</summary>
/// <remarks>
/// How outputs are shared never shows in the result: an output is one thread's work from first product to last.
/// Products too small to be worth waking a thread for run on the calling one.
/// </remarks>
internal sealed unsafe class MatrixProduct
{
    // Multiplications below which waking other threads costs more than it saves; 100 k are about 10 µs of one core.
    private const long WorthSharing = 100_000;

    // Outputs of one share: few enough to balance, and their weights fit the second-level cache.
    private const int Share = 16;

    private readonly CpuKernels _kernels;
    private readonly ComputePool _pool;
    private readonly Action<int, int> _multiplyShare;
    private readonly Part[] _parts = new Part[3];
    private int _partCount;
    private float* _x;
    private int _xStride;
    private int _rows;

    internal MatrixProduct(CpuKernels kernels, ComputePool pool)
    {
        _kernels = kernels;
        _pool = pool;
        _multiplyShare = MultiplyShare;
    }

    /// <summary>Starts a product with rows <c>[firstRow, firstRow + rows)</c> of <paramref name="x"/>.</summary>
    internal MatrixProduct Of(ScratchMatrix x, int firstRow, int rows)
    {
        _x = x.Row(firstRow);
        _xStride = x.Stride;
        _rows = rows;
        _partCount = 0;
        return this;
    }

    /// <summary>Adds a matrix; its results go to the same rows of <paramref name="y"/> as those of x.</summary>
    internal MatrixProduct With(in WeightMatrix weights, ScratchMatrix y, int firstRow)
    {
        _parts[_partCount++] = new Part(weights, y.Row(firstRow), y.Stride);
        return this;
    }

    internal void Run()
    {
        int shares = 0;
        long multiplications = 0;
        for (int i = 0; i < _partCount; i++)
        {
            shares += SharesOf(_parts[i].Weights);
            multiplications += (long)_parts[i].Weights.Outputs * _parts[i].Weights.Columns * _rows;
        }

        if (multiplications >= WorthSharing)
        {
            _pool.For(shares, _multiplyShare);
            return;
        }

        for (int i = 0; i < _partCount; i++) Multiply(_parts[i], 0, _parts[i].Weights.Outputs);
    }

    private static int SharesOf(in WeightMatrix weights) => (weights.Outputs + Share - 1) / Share;

    private void MultiplyShare(int share, int worker)
    {
        int part = 0;
        while (share >= SharesOf(_parts[part].Weights)) share -= SharesOf(_parts[part++].Weights);

        int first = share * Share;
        Multiply(_parts[part], first, Math.Min(first + Share, _parts[part].Weights.Outputs));
    }

    private void Multiply(in Part part, int first, int end) =>
        _kernels.Multiply(part.Weights, first, end, _x, _xStride, _rows, part.Y + first, part.YStride);

    private readonly struct Part(WeightMatrix weights, float* y, int yStride)
    {
        internal readonly WeightMatrix Weights = weights;
        internal readonly float* Y = y;
        internal readonly int YStride = yStride;
    }
}
