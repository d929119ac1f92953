using KwaaiNet.CandelEngine.Compute.Cpu.Kernels;
using KwaaiNet.CandelEngine.Compute.Cpu.Matrices;
using KwaaiNet.CandelEngine.Compute.Cpu.Threads;
using KwaaiNet.CandelEngine.Models;

namespace KwaaiNet.CandelEngine.Compute.Cpu;

/// <summary>Runs gated feed-forward layers: <c>Down · (f(Gate · x) ∘ (Up · x))</c>.</summary>
internal sealed class CpuFeedForward : IDisposable
{
    // Rows below which waking other threads costs more than it saves.
    private const int WorthSharingRows = 8;

    private readonly CpuKernels _kernels;
    private readonly ComputePool _pool;
    private readonly MatrixProduct _product;
    private readonly GateActivation _activation;
    private readonly ScratchMatrix _gate;
    private readonly ScratchMatrix _up;
    private readonly Action<int, int> _activateRow; // made once so that running allocates nothing
    private int _firstRow;

    /// <param name="shape">The model.</param>
    /// <param name="kernels">The arithmetic.</param>
    /// <param name="pool">Threads.</param>
    /// <param name="product">Matrix products on those.</param>
    internal CpuFeedForward(ModelShape shape, CpuKernels kernels, ComputePool pool, MatrixProduct product)
    {
        _kernels = kernels;
        _pool = pool;
        _product = product;
        _activation = shape.Activation;
        int width = shape.Experts?.FeedForwardWidth ?? shape.FeedForwardWidth;
        _gate = new ScratchMatrix(width);
        _up = new ScratchMatrix(width);
        _activateRow = ActivateRow;
    }

    internal void Reserve(int rows)
    {
        _gate.Reserve(rows);
        _up.Reserve(rows);
    }

    /// <summary>Runs a layer on rows <c>[first, first + rows)</c>; its results go to the same rows of <paramref name="output"/>.</summary>
    internal void Run(CpuFeedForwardWeights weights, ScratchMatrix input, int first, int rows, ScratchMatrix output)
    {
        _product.Of(input, first, rows).With(weights.Gate, _gate, first).With(weights.Up, _up, first).Run();
        weights.GateBias.AddTo(_gate, first, first + rows);
        weights.UpBias.AddTo(_up, first, first + rows);
        Activate(first, rows);
        _product.Of(_gate, first, rows).With(weights.Down, output, first).Run();
        weights.DownBias.AddTo(output, first, first + rows);
    }

    public void Dispose()
    {
        _gate.Dispose();
        _up.Dispose();
    }

    private void Activate(int first, int rows)
    {
        _firstRow = first;
        if (rows > WorthSharingRows)
        {
            _pool.For(rows, _activateRow);
            return;
        }

        for (int r = 0; r < rows; r++) ActivateRow(r, 0);
    }

    private unsafe void ActivateRow(int row, int worker)
    {
        float* gate = _gate.Row(_firstRow + row);
        float* up = _up.Row(_firstRow + row);
        if (_activation == GateActivation.GeluTanh) _kernels.GeluMultiply(gate, up, _gate.Width);
        else _kernels.SiluMultiply(gate, up, _gate.Width);
    }
}
