using ILGPU;
using ILGPU.Runtime;

namespace KwaaiNet.CandelEngine.Compute.Ilgpu.Matrices.Launches;

/// <summary>Products by <see cref="PortableKernels"/>.</summary>
internal sealed class PortableProducts<TWeights>(MatrixLaunches kernels) : IProducts<TWeights>
    where TWeights : struct, ITileWeights
{
    private Action<AcceleratorStream, Index1D, TWeights, Operand, Product>? _multiply;
    private Action<AcceleratorStream, Index1D, TWeights, TWeights, Operand, ArrayView<float>, int, int, ArrayView<float>, Operand>? _gate;

    public bool Gates => kernels.GatesInItems;

    public long GateScratch(int rows, int width) => (long)rows * width;

    public void Multiply(TWeights weights, Operand x, int rows, Product y)
    {
        _multiply ??= kernels.Accelerator.LoadAutoGroupedKernel<Index1D, TWeights, Operand, Product>(PortableKernels.Multiply);
        _multiply(kernels.Launch(), rows * y.Outputs, weights, x, y);
    }

    public void Gate(TWeights gate, TWeights up, Operand x, int rows, ArrayView<float>? bias, int activation, ArrayView<float> scratch, Operand y)
    {
        _gate ??= kernels.Accelerator.LoadAutoGroupedKernel<
            Index1D, TWeights, TWeights, Operand, ArrayView<float>, int, int, ArrayView<float>, Operand>(PortableKernels.Gate);
        _gate(kernels.Launch(), rows * y.Blocks, gate, up, x, bias ?? scratch, bias is null ? 0 : 1, activation, scratch, y);
    }
}
