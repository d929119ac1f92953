using ILGPU;
using ILGPU.Runtime;

namespace KwaaiNet.CandelEngine.Compute.Ilgpu;

/// <summary>The kernels that read weights of one storage type, compiled for one accelerator when first used.</summary>
internal sealed class WeightKernels<TWeights>(Accelerator accelerator) where TWeights : struct, IDeviceWeights
{
    private Action<Index1D, TWeights, ArrayView<int>, int, ArrayView<float>>? _embed;
    private Action<Index1D, TWeights, int, int, ArrayView<float>, ArrayView<float>>? _multiply;

    internal Action<Index1D, TWeights, ArrayView<int>, int, ArrayView<float>> Embed =>
        _embed ??= accelerator.LoadAutoGroupedStreamKernel<Index1D, TWeights, ArrayView<int>, int, ArrayView<float>>(DeviceKernels.Embed);

    internal Action<Index1D, TWeights, int, int, ArrayView<float>, ArrayView<float>> Multiply =>
        _multiply ??= accelerator.LoadAutoGroupedStreamKernel<Index1D, TWeights, int, int, ArrayView<float>, ArrayView<float>>(DeviceKernels.Multiply);
}
