using ILGPU;
using ILGPU.Runtime;

namespace KwaaiNet.CandelEngine.Compute.Ilgpu.Matrices.Launches;

/// <summary>Products by <see cref="PortableKernels"/>.</summary>
internal sealed class PortableProducts<TWeights>(MatrixKernels kernels) : IProducts<TWeights>
    where TWeights : struct, ITileWeights
{
    private Action<AcceleratorStream, Index1D, TWeights, Operand, Product>? _multiply;

    public bool Gates => false;

    public void Multiply(TWeights weights, Operand x, int rows, Product y)
    {
        _multiply ??= kernels.Accelerator.LoadAutoGroupedKernel<Index1D, TWeights, Operand, Product>(PortableKernels.Multiply);
        _multiply(kernels.Stream, rows * y.Outputs, weights, x, y);
    }

    public void Gate(TWeights gate, TWeights up, Operand x, int rows, ArrayView<float>? bias, int activation, Operand y) =>
        throw new NotSupportedException("Portable kernels gate what was multiplied before.");
}
