using ILGPU;
using ILGPU.Runtime;
using KwaaiNet.CandelEngine.Compute.Blocks;
using KwaaiNet.CandelEngine.Gguf;
using KwaaiNet.CandelEngine.Models;

namespace KwaaiNet.CandelEngine.Compute.Ilgpu;

/// <summary>A weight matrix on the device.</summary>
/// <remarks>
/// Types that have device kernels are copied as the file stores them. The others are decoded to float32 on the way, by the same
/// definition that the processor runs by: right from the first day a type is known, at 4 bytes a number.
/// <see cref="BytesOf(TensorData)"/> says what a tensor takes.
/// </remarks>
internal abstract class DeviceMatrix : IDisposable
{
    /// <summary>Bytes that a tensor takes on the device: those of the file, or those of its numbers as float32.</summary>
    internal static long BytesOf(TensorData tensor) => HasKernels(tensor.Type) ? tensor.ByteLength : (long)tensor.Rows * tensor.Columns * sizeof(float);

    /// <summary>Bytes that a range's tensors take on the device.</summary>
    internal static long BytesOf(RangeTensors tensors) => tensors.All.Sum(BytesOf);

    /// <summary>Uploads a matrix.</summary>
    internal static DeviceMatrix Load(Accelerator accelerator, KernelSet kernels, TensorData tensor, CancellationToken cancellationToken) => tensor.Type switch
    {
        GgmlType.F32 => Make<float, DeviceSingleWeights>(accelerator, tensor, kernels.Single, view => new(view), cancellationToken),
        GgmlType.F16 => Make<ushort, DeviceHalfWeights>(accelerator, tensor, kernels.Half, view => new(view), cancellationToken),
        GgmlType.BF16 => Make<ushort, DeviceBrainWeights>(accelerator, tensor, kernels.Brain, view => new(view), cancellationToken),
        GgmlType.Q8_0 => Make<ushort, DeviceQ8Weights>(accelerator, tensor, kernels.Q8, view => new(view), cancellationToken),
        GgmlType.Q4_0 => Make<ushort, DeviceQ4Weights>(accelerator, tensor, kernels.Q4, view => new(view), cancellationToken),
        GgmlType.Q4_K => Make<ushort, DeviceQ4KWeights>(accelerator, tensor, kernels.Q4K, view => new(view), cancellationToken),
        GgmlType.Q6_K => Make<ushort, DeviceQ6KWeights>(accelerator, tensor, kernels.Q6K, view => new(view), cancellationToken),
        _ => Decode(accelerator, tensor, kernels.Single, cancellationToken),
    };

    /// <summary>Rows of embedding for tokens.</summary>
    internal abstract void Embed(ArrayView<int> tokens, int count, ArrayView<float> x);

    /// <summary>Products of all outputs with the rows of x.</summary>
    internal abstract void Multiply(ArrayView<float> x, int rows, ArrayView<float> y);

    public abstract void Dispose();

    private static bool HasKernels(GgmlType type) =>
        type is GgmlType.F32 or GgmlType.F16 or GgmlType.BF16 or GgmlType.Q8_0 or GgmlType.Q4_0 or GgmlType.Q4_K or GgmlType.Q6_K;

    private static Matrix<float, DeviceSingleWeights> Decode(
        Accelerator accelerator, TensorData tensor, WeightKernels<DeviceSingleWeights> kernels, CancellationToken cancellationToken)
    {
        MemoryBuffer1D<float, Stride1D.Dense> buffer = DeviceUpload.Decode(accelerator, tensor, cancellationToken);
        return new Matrix<float, DeviceSingleWeights>(tensor, buffer, new DeviceSingleWeights(buffer.View), kernels);
    }

    private static Matrix<TElement, TWeights> Make<TElement, TWeights>(
        Accelerator accelerator, TensorData tensor, WeightKernels<TWeights> kernels, Func<ArrayView<TElement>, TWeights> weights, CancellationToken cancellationToken)
        where TElement : unmanaged
        where TWeights : struct, IDeviceWeights
    {
        MemoryBuffer1D<TElement, Stride1D.Dense> buffer = DeviceUpload.Copy<TElement>(accelerator, tensor, cancellationToken);
        return new Matrix<TElement, TWeights>(tensor, buffer, weights(buffer.View), kernels);
    }

    private sealed class Matrix<TElement, TWeights>(
        TensorData tensor, MemoryBuffer1D<TElement, Stride1D.Dense> buffer, TWeights weights, WeightKernels<TWeights> kernels) : DeviceMatrix
        where TElement : unmanaged
        where TWeights : struct, IDeviceWeights
    {
        internal override void Embed(ArrayView<int> tokens, int count, ArrayView<float> x) =>
            kernels.Embed(count * tensor.Columns, weights, tokens, tensor.Columns, x);

        internal override void Multiply(ArrayView<float> x, int rows, ArrayView<float> y) =>
            kernels.Multiply(rows * tensor.Rows, weights, tensor.Rows, tensor.Columns, x, y);

        public override void Dispose() => buffer.Dispose();
    }
}
