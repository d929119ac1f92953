using ILGPU;
using ILGPU.Runtime;

namespace KwaaiNet.CandelEngine.Compute.Ilgpu.Matrices.Launches;

/// <summary>Products by <see cref="TensorKernels"/>: as many tiles of operand rows together as there are, up to four.</summary>
internal sealed class TensorProducts<TWeights>(MatrixLaunches kernels) : IProducts<TWeights>
    where TWeights : struct, ITensorWeights
{
    private readonly Span<OneTile> _one = new(kernels);
    private readonly Span<TwoTiles> _two = new(kernels);
    private readonly Span<FourTiles> _four = new(kernels);

    public bool Gates => true;

    public long GateScratch(int rows, int width) => 0;

    public void Multiply(TWeights weights, Operand x, int rows, Product y)
    {
        if (rows <= 8) _one.Multiply(weights, x, rows, y);
        else if (rows <= 16) _two.Multiply(weights, x, rows, y);
        else _four.Multiply(weights, x, rows, y);
    }

    public void Gate(TWeights gate, TWeights up, Operand x, int rows, ArrayView<float>? bias, int activation, ArrayView<float> scratch, Operand y)
    {
        if (rows <= 8) _one.Gate(gate, up, x, rows, bias, activation, y);
        else if (rows <= 16) _two.Gate(gate, up, x, rows, bias, activation, y);
        else _four.Gate(gate, up, x, rows, bias, activation, y);
    }

    private sealed class Span<TSpan>(MatrixLaunches kernels)
        where TSpan : struct, ISpan<TSpan>
    {
        private static readonly int s_rows = 8 * default(TSpan).Count;

        // One tile has few sums, so that two groups fit on a multiprocessor; the others may take 128 registers a thread.
        private static readonly KernelSpecialization s_specialization = new(TensorKernels.GroupSize, s_rows == 8 ? 2 : 1);

        private Action<AcceleratorStream, KernelConfig, TWeights, Operand, int, Product>? _multiply;
        private Action<AcceleratorStream, KernelConfig, TWeights, TWeights, Operand, int, ArrayView<float>, int, int, Operand>? _gate;

        internal void Multiply(TWeights weights, Operand x, int rows, Product y)
        {
            _multiply ??= kernels.Accelerator.LoadKernel<TWeights, Operand, int, Product>(TensorKernels.Multiply<TWeights, TSpan>, s_specialization);
            _multiply(kernels.Launch(), Config(rows, y.Outputs), weights, x, rows, y);
        }

        internal void Gate(TWeights gate, TWeights up, Operand x, int rows, ArrayView<float>? bias, int activation, Operand y)
        {
            _gate ??= kernels.Accelerator.LoadKernel<TWeights, TWeights, Operand, int, ArrayView<float>, int, int, Operand>(TensorKernels.Gate<TWeights, TSpan>, s_specialization);
            _gate(kernels.Launch(), Config(rows, y.Columns), gate, up, x, rows, bias ?? x.ShortScales, bias is null ? 0 : 1, activation, y);
        }

        private static KernelConfig Config(int rows, int outputs) =>
            new(new Index2D((rows + s_rows - 1) / s_rows, Tiles.Count(outputs)), new Index2D(TensorKernels.GroupSize, 1));
    }
}
