using ILGPU;
using KwaaiNet.CandelEngine.Models;

namespace KwaaiNet.CandelEngine.Compute.Ilgpu.Matrices;

/// <summary>The first half of a gated feed-forward layer, <c>f(Gate · x) ∘ (Up · x)</c>: a block's own, or one expert's.</summary>
internal sealed class GatedProjection : IDisposable
{
    private readonly MatrixKernels _kernels;
    private readonly Projection _both;

    private GatedProjection(MatrixKernels kernels, Projection both)
    {
        _kernels = kernels;
        _both = both;
    }

    /// <summary>The forms of operand it takes.</summary>
    internal OperandKinds Operand => _both.Operand;

    /// <summary>Inputs: columns of the operand it takes.</summary>
    internal int Columns => _both.Columns;

    /// <summary>Outputs: columns of the operand it writes.</summary>
    internal int Width => _both.Rows / 2;

    /// <summary>Bytes that it takes on the device.</summary>
    internal static long BytesOf(TensorData gate, TensorData up) => Projection.BytesOf(gate, up);

    /// <summary>Repacks and uploads the tensors.</summary>
    /// <exception cref="OperationCanceledException">The caller gave up; nothing stays allocated.</exception>
    internal static GatedProjection Load(MatrixKernels kernels, CancellationToken cancellationToken, TensorData gate, TensorData up) =>
        new(kernels, Projection.Load(kernels, cancellationToken, gate, up));

    /// <summary>Numbers of scratch that a run needs; 0 for none.</summary>
    internal long ScratchLength(int rows) => 2L * rows * Width;

    /// <summary>Runs it.</summary>
    /// <param name="x">The operand, of <see cref="Columns"/> columns.</param>
    /// <param name="rows">Its rows.</param>
    /// <param name="activation">The function on the gate.</param>
    /// <param name="bias">Added to the products of gate and up, <c>[2, Width]</c>; null for none.</param>
    /// <param name="scratch">At least <see cref="ScratchLength"/> numbers.</param>
    /// <param name="y">The result, an operand of <see cref="Width"/> columns.</param>
    internal void Run(Operand x, int rows, GateActivation activation, ArrayView<float>? bias, ArrayView<float> scratch, Operand y)
    {
        _both.Multiply(x, rows, scratch, bias);
        _kernels.Activate(scratch, rows, (int)activation, y);
    }

    public void Dispose() => _both.Dispose();
}
