using ILGPU;
using ILGPU.Runtime;

namespace KwaaiNet.CandelEngine.Compute.Ilgpu.Matrices;

/// <summary>The kernels that read weights of one format, compiled for one accelerator when first used.</summary>
internal sealed class FormatKernels<TWeights>(Accelerator accelerator)
    where TWeights : struct, ITileWeights
{
    private Action<Index1D, TWeights, ArrayView<int>, int, float, ArrayView<float>>? _embed;
    private Action<Index1D, TWeights, Operand, Product>? _multiply;

    internal Action<Index1D, TWeights, ArrayView<int>, int, float, ArrayView<float>> Embed =>
        _embed ??= accelerator.LoadAutoGroupedStreamKernel<Index1D, TWeights, ArrayView<int>, int, float, ArrayView<float>>(PortableKernels.Embed);

    internal Action<Index1D, TWeights, Operand, Product> Multiply =>
        _multiply ??= accelerator.LoadAutoGroupedStreamKernel<Index1D, TWeights, Operand, Product>(PortableKernels.Multiply);
}
