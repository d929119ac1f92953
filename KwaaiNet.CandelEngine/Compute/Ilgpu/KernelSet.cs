using ILGPU;
using ILGPU.Runtime;

namespace KwaaiNet.CandelEngine.Compute.Ilgpu;

/// <summary>The kernels that do not depend on how weights are stored, compiled for one accelerator.</summary>
/// <remarks>ILGPU's own cache holds kernels weakly; these fields keep them.</remarks>
internal sealed class KernelSet
{
    internal KernelSet(Accelerator accelerator)
    {
        RmsNorm = accelerator.LoadAutoGroupedStreamKernel<Index1D, ArrayView<float>, ArrayView<int>, ArrayView<float>, int, float, ArrayView<float>>(DeviceKernels.RmsNorm);
        RotateQueries = accelerator.LoadAutoGroupedStreamKernel<Index1D, ArrayView<float>, ArrayView<float>, DeviceShape>(DeviceKernels.RotateQueries);
        Append = accelerator.LoadAutoGroupedStreamKernel<
            Index1D, ArrayView<float>, ArrayView<float>, ArrayView<float>, int, ArrayView<float>, ArrayView<float>, DeviceShape>(DeviceKernels.Append);
        Attend = accelerator.LoadAutoGroupedStreamKernel<
            Index1D, ArrayView<float>, int, ArrayView<float>, ArrayView<float>, ArrayView<float>, DeviceShape>(DeviceKernels.Attend);
        NormInPlace = accelerator.LoadAutoGroupedStreamKernel<Index1D, ArrayView<float>, ArrayView<float>, int, float>(DeviceKernels.NormInPlace);
        AddBias = accelerator.LoadAutoGroupedStreamKernel<Index1D, ArrayView<float>, ArrayView<float>, int>(DeviceKernels.AddBias);
        SiluMultiply = accelerator.LoadAutoGroupedStreamKernel<Index1D, ArrayView<float>, ArrayView<float>>(DeviceKernels.SiluMultiply);
        GeluMultiply = accelerator.LoadAutoGroupedStreamKernel<Index1D, ArrayView<float>, ArrayView<float>>(DeviceKernels.GeluMultiply);
        AddScaled = accelerator.LoadAutoGroupedStreamKernel<Index1D, ArrayView<float>, ArrayView<float>, float>(DeviceKernels.AddScaled);
        Scale = accelerator.LoadAutoGroupedStreamKernel<Index1D, ArrayView<float>, float>(DeviceKernels.Scale);
        Softcap = accelerator.LoadAutoGroupedStreamKernel<Index1D, ArrayView<float>, float>(DeviceKernels.Softcap);
        Clear = accelerator.LoadAutoGroupedStreamKernel<Index1D, ArrayView<float>>(DeviceKernels.Clear);
        Gather = accelerator.LoadAutoGroupedStreamKernel<Index1D, ArrayView<float>, ArrayView<int>, int, ArrayView<float>>(DeviceKernels.Gather);
        ScatterAdd = accelerator.LoadAutoGroupedStreamKernel<
            Index1D, ArrayView<float>, ArrayView<int>, ArrayView<float>, int, ArrayView<float>>(DeviceKernels.ScatterAdd);
        Add = accelerator.LoadAutoGroupedStreamKernel<Index1D, ArrayView<float>, ArrayView<float>>(DeviceKernels.Add);
        RoundToHalf = accelerator.LoadAutoGroupedStreamKernel<Index1D, ArrayView<float>>(DeviceKernels.RoundToHalf);
        Single = new WeightKernels<DeviceSingleWeights>(accelerator);
        Half = new WeightKernels<DeviceHalfWeights>(accelerator);
        Brain = new WeightKernels<DeviceBrainWeights>(accelerator);
        Q8 = new WeightKernels<DeviceQ8Weights>(accelerator);
        Q4 = new WeightKernels<DeviceQ4Weights>(accelerator);
        Q4K = new WeightKernels<DeviceQ4KWeights>(accelerator);
        Q6K = new WeightKernels<DeviceQ6KWeights>(accelerator);
    }

    internal Action<Index1D, ArrayView<float>, ArrayView<int>, ArrayView<float>, int, float, ArrayView<float>> RmsNorm { get; }

    internal Action<Index1D, ArrayView<float>, ArrayView<float>, DeviceShape> RotateQueries { get; }

    internal Action<Index1D, ArrayView<float>, ArrayView<float>, ArrayView<float>, int, ArrayView<float>, ArrayView<float>, DeviceShape> Append { get; }

    internal Action<Index1D, ArrayView<float>, int, ArrayView<float>, ArrayView<float>, ArrayView<float>, DeviceShape> Attend { get; }

    internal Action<Index1D, ArrayView<float>, ArrayView<float>, int, float> NormInPlace { get; }

    internal Action<Index1D, ArrayView<float>, ArrayView<float>, int> AddBias { get; }

    internal Action<Index1D, ArrayView<float>, ArrayView<float>> SiluMultiply { get; }

    internal Action<Index1D, ArrayView<float>, ArrayView<float>> GeluMultiply { get; }

    internal Action<Index1D, ArrayView<float>, ArrayView<float>, float> AddScaled { get; }

    internal Action<Index1D, ArrayView<float>, float> Scale { get; }

    internal Action<Index1D, ArrayView<float>, float> Softcap { get; }

    internal Action<Index1D, ArrayView<float>> Clear { get; }

    internal Action<Index1D, ArrayView<float>, ArrayView<int>, int, ArrayView<float>> Gather { get; }

    internal Action<Index1D, ArrayView<float>, ArrayView<int>, ArrayView<float>, int, ArrayView<float>> ScatterAdd { get; }

    internal Action<Index1D, ArrayView<float>, ArrayView<float>> Add { get; }

    internal Action<Index1D, ArrayView<float>> RoundToHalf { get; }

    internal WeightKernels<DeviceSingleWeights> Single { get; }

    internal WeightKernels<DeviceHalfWeights> Half { get; }

    internal WeightKernels<DeviceBrainWeights> Brain { get; }

    internal WeightKernels<DeviceQ8Weights> Q8 { get; }

    internal WeightKernels<DeviceQ4Weights> Q4 { get; }

    internal WeightKernels<DeviceQ4KWeights> Q4K { get; }

    internal WeightKernels<DeviceQ6KWeights> Q6K { get; }

    /// <summary>Adds a bias where there is one.</summary>
    internal void AddBiasIfAny(int rows, ArrayView<float> x, ArrayView<float>? bias, int width)
    {
        if (bias is { } there) AddBias(rows * width, x, there, width);
    }

    /// <summary>Norms rows, or the heads in them, where there are weights for it.</summary>
    internal void NormIfAny(int rows, ArrayView<float> x, ArrayView<float>? weights, int width, float epsilon)
    {
        if (weights is { } there) NormInPlace(rows, x, there, width, epsilon);
    }
}
