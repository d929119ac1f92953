using ILGPU;
using ILGPU.Runtime;
using KwaaiNet.CandelEngine.Gguf;
using KwaaiNet.CandelEngine.Models;

namespace KwaaiNet.CandelEngine.Compute.Ilgpu;

/// <summary>A weight matrix copied to the device as the file stores it.</summary>
internal abstract class DeviceMatrix : IDisposable
{
    /// <summary>Uploads a matrix.</summary>
    internal static DeviceMatrix Load(Accelerator accelerator, KernelSet kernels, TensorData tensor, CancellationToken cancellationToken) => tensor.Type switch
    {
        GgmlType.F32 => Make<float, DeviceSingleWeights>(accelerator, tensor, kernels.Single, view => new(view), cancellationToken),
        GgmlType.F16 => Make<ushort, DeviceHalfWeights>(accelerator, tensor, kernels.Half, view => new(view), cancellationToken),
        GgmlType.Q8_0 => Make<ushort, DeviceQ8Weights>(accelerator, tensor, kernels.Q8, view => new(view), cancellationToken),
        GgmlType.Q4_0 => Make<ushort, DeviceQ4Weights>(accelerator, tensor, kernels.Q4, view => new(view), cancellationToken),
        _ => throw new ArgumentOutOfRangeException(nameof(tensor), tensor.Type, null),
    };

    /// <summary>Rows of embedding for tokens.</summary>
    internal abstract void Embed(ArrayView<int> tokens, int count, ArrayView<float> x);

    /// <summary>Products of all outputs with the rows of x.</summary>
    internal abstract void Multiply(ArrayView<float> x, int rows, ArrayView<float> y);

    public abstract void Dispose();

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
