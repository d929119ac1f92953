using ILGPU;
using KwaaiNet.CandelEngine.Compute.Ilgpu.Matrices.Launches;
using KwaaiNet.CandelEngine.Models;
using KwaaiNet.CandelEngine.Tensors;

namespace KwaaiNet.CandelEngine.Compute.Ilgpu.Matrices.Projections;

/// <summary>The first half of a gated feed-forward layer, <c>f(Gate · x) ∘ (Up · x)</c>: a block's own, or one expert's.</summary>
/// <remarks>One launch where the kernels can and both have one type; else the products go through scratch.</remarks>
internal sealed class GatedProjection : IDisposable
{
    private readonly MatrixLaunches _kernels;
    private readonly MatrixPart _gate;
    private readonly MatrixPart _up;

    private GatedProjection(MatrixLaunches kernels, MatrixPart gate, MatrixPart up, OperandKinds operand)
    {
        _kernels = kernels;
        _gate = gate;
        _up = up;
        Operand = operand;
        IsFused = gate.Gates && gate.GetType() == up.GetType();
    }

    /// <summary>The forms of operand it takes.</summary>
    internal OperandKinds Operand { get; }

    /// <summary>Inputs: columns of the operand it takes.</summary>
    internal int Columns => _gate.Columns;

    /// <summary>Outputs: columns of the operand it writes.</summary>
    internal int Width => _gate.Rows;

    /// <summary>Whether it is one launch.</summary>
    internal bool IsFused { get; }

    /// <summary>Kernels launched for one run.</summary>
    internal int Launches => IsFused ? 1 : 3;

    /// <summary>Bytes that it takes on the device.</summary>
    internal static long BytesOf(TensorData gate, TensorData up) => Projection.BytesOf(gate) + Projection.BytesOf(up);

    /// <summary>Repacks and uploads the tensors.</summary>
    /// <exception cref="OperationCanceledException">The caller gave up; nothing stays allocated.</exception>
    internal static GatedProjection Load(MatrixLaunches kernels, CancellationToken cancellationToken, TensorData gate, TensorData up)
    {
        MatrixPart first = MatrixPart.Load(kernels, [gate], cancellationToken);
        try
        {
            return new(kernels, first, MatrixPart.Load(kernels, [up], cancellationToken), MatrixPart.OperandOf(gate.Type) | MatrixPart.OperandOf(up.Type));
        }
        catch
        {
            first.Dispose();
            throw;
        }
    }

    /// <summary>Numbers of scratch that a run needs; 0 for none.</summary>
    internal long ScratchLength(int rows) => IsFused ? _gate.GateScratch(rows) : 2L * rows * Width;

    /// <summary>Runs it.</summary>
    /// <param name="x">The operand, of <see cref="Columns"/> columns.</param>
    /// <param name="rows">Its rows.</param>
    /// <param name="activation">The function on the gate.</param>
    /// <param name="bias">Added to the products of gate and up, <c>[2, Width]</c>; null for none.</param>
    /// <param name="scratch">At least <see cref="ScratchLength"/> numbers.</param>
    /// <param name="y">The result, an operand of <see cref="Width"/> columns.</param>
    internal void Run(Operand x, int rows, GateActivation activation, ArrayView<float>? bias, ArrayView<float> scratch, Operand y)
    {
        if (IsFused)
        {
            _gate.Gate(_up, x, rows, bias, (int)activation, scratch, y);
            return;
        }

        Product both = new(scratch, 2 * Width, bias, adds: false, scale: 1);
        _gate.Multiply(x, rows, both.Part(0, Width));
        _up.Multiply(x, rows, both.Part(Width, Width));
        _kernels.Activate(scratch, rows, (int)activation, y);
    }

    public void Dispose()
    {
        _up.Dispose();
        _gate.Dispose();
    }
}
