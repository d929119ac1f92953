using ILGPU;
using ILGPU.Runtime;
using KwaaiNet.CandelEngine.Compute.Ilgpu.Matrices.Formats;

namespace KwaaiNet.CandelEngine.Compute.Ilgpu.Matrices;

/// <summary>The kernels of weights and their products, for one accelerator.</summary>
/// <remarks>ILGPU's own cache holds kernels weakly; these fields keep them.</remarks>
internal sealed class MatrixKernels(Accelerator accelerator)
{
    private Action<Index1D, ArrayView<float>, Operand>? _write;
    private Action<Index1D, ArrayView<float>, int, Operand>? _activate;

    internal Accelerator Accelerator { get; } = accelerator;

    internal FormatKernels<Q4Tiles> Q4 { get; } = new(accelerator);

    internal FormatKernels<Q8Tiles> Q8 { get; } = new(accelerator);

    internal FormatKernels<Q4KTiles> Q4K { get; } = new(accelerator);

    internal FormatKernels<Q5KTiles> Q5K { get; } = new(accelerator);

    internal FormatKernels<Q6KTiles> Q6K { get; } = new(accelerator);

    internal FormatKernels<HalfTiles> Half { get; } = new(accelerator);

    internal FormatKernels<BrainTiles> Brain { get; } = new(accelerator);

    internal FormatKernels<SingleTiles> Single { get; } = new(accelerator);

    /// <summary>Brings rows of float32 to an operand, where nothing wrote it on the way.</summary>
    /// <param name="x">The rows, <c>[rows, y.Columns]</c>.</param>
    /// <param name="rows">How many.</param>
    /// <param name="y">The operand.</param>
    internal void Write(ArrayView<float> x, int rows, Operand y)
    {
        _write ??= Accelerator.LoadAutoGroupedStreamKernel<Index1D, ArrayView<float>, Operand>(PortableKernels.Write);
        _write(rows * y.Blocks, x, y);
    }

    /// <summary><c>f(gate) ∘ up</c> to an operand; see <see cref="PortableKernels.Activate"/>.</summary>
    internal void Activate(ArrayView<float> gateUp, int rows, int activation, Operand y)
    {
        _activate ??= Accelerator.LoadAutoGroupedStreamKernel<Index1D, ArrayView<float>, int, Operand>(PortableKernels.Activate);
        _activate(rows * y.Blocks, gateUp, activation, y);
    }
}
