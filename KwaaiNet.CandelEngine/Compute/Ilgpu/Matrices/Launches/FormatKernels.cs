using ILGPU;
using ILGPU.Runtime;

namespace KwaaiNet.CandelEngine.Compute.Ilgpu.Matrices.Launches;

/// <summary>The kernels that read weights of one format, compiled for one accelerator when first used.</summary>
/// <param name="kernels">Those of the accelerator.</param>
/// <param name="one">Products of one operand row.</param>
/// <param name="many">Products of more.</param>
internal sealed class FormatKernels<TWeights>(MatrixLaunches kernels, IProducts<TWeights> one, IProducts<TWeights> many)
    where TWeights : struct, ITileWeights
{
    private Action<AcceleratorStream, Index1D, TWeights, ArrayView<int>, int, float, ArrayView<float>>? _embed;

    /// <summary>Whether gate and up projection are one launch.</summary>
    internal bool Gates => one.Gates && many.Gates;

    internal void Embed(TWeights table, ArrayView<int> tokens, int rows, int columns, float scale, ArrayView<float> x)
    {
        _embed ??= kernels.Accelerator.LoadAutoGroupedKernel<Index1D, TWeights, ArrayView<int>, int, float, ArrayView<float>>(PortableKernels.Embed);
        _embed(kernels.Launch(), rows * columns, table, tokens, columns, scale, x);
    }

    internal void Multiply(TWeights weights, Operand x, int rows, Product y) => (rows == 1 ? one : many).Multiply(weights, x, rows, y);

    internal long GateScratch(int rows, int width) => Math.Max(one.GateScratch(rows, width), many.GateScratch(rows, width));

    internal void Gate(TWeights gate, TWeights up, Operand x, int rows, ArrayView<float>? bias, int activation, ArrayView<float> scratch, Operand y) =>
        (rows == 1 ? one : many).Gate(gate, up, x, rows, bias, activation, scratch, y);
}
