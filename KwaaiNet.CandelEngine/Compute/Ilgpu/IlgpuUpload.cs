using ILGPU;
using ILGPU.Runtime;
using KwaaiNet.CandelEngine.Compute.Blocks;
using KwaaiNet.CandelEngine.Compute.Ilgpu.Matrices.Projections;
using KwaaiNet.CandelEngine.Tensors;

namespace KwaaiNet.CandelEngine.Compute.Ilgpu;

/// <summary>Brings a range's tensors to the device; owns what it brought, and frees it last to first.</summary>
/// <param name="device">The device.</param>
/// <param name="totalBytes">Bytes in the file of all that will be brought, for progress.</param>
/// <param name="progress">Told the fraction done; may be null.</param>
/// <param name="cancellationToken">Stops the upload.</param>
internal sealed class IlgpuUpload(IlgpuDevice device, long totalBytes, IProgress<double>? progress, CancellationToken cancellationToken) : IDisposable
{
    private readonly Stack<IDisposable> _buffers = new();
    private long _done;

    /// <summary>A matrix, or several stacked.</summary>
    internal Projection Matrix(params ReadOnlySpan<TensorData> tensors)
    {
        cancellationToken.ThrowIfCancellationRequested();
        Projection matrix = Projection.Load(device.Matrices, cancellationToken, tensors);
        _buffers.Push(matrix);
        foreach (TensorData tensor in tensors) Report(tensor);
        return matrix;
    }

    /// <summary>A gate and an up projection.</summary>
    internal GatedProjection Gated(TensorData gate, TensorData up)
    {
        cancellationToken.ThrowIfCancellationRequested();
        GatedProjection both = GatedProjection.Load(device.Matrices, cancellationToken, gate, up);
        _buffers.Push(both);
        Report(gate);
        Report(up);
        return both;
    }

    /// <summary>A vector, as float32.</summary>
    internal ArrayView<float> Vector(TensorData tensor) => Vectors([tensor], [tensor.Columns])!.Value;

    /// <summary>A vector that may be missing.</summary>
    internal ArrayView<float>? VectorIfAny(TensorData? tensor) => tensor is { } there ? Vector(there) : null;

    /// <summary>Vectors behind one another, zeros for those that are missing; null when all are.</summary>
    internal unsafe ArrayView<float>? Vectors(ReadOnlySpan<TensorData?> tensors, ReadOnlySpan<int> lengths)
    {
        int length = 0;
        bool any = false;
        for (int i = 0; i < tensors.Length; i++)
        {
            length += lengths[i];
            any |= tensors[i] is not null;
        }

        if (!any) return null;

        var values = new float[length];
        int at = 0;
        for (int i = 0; i < tensors.Length; i++)
        {
            if (tensors[i] is { } there)
            {
                WeightLayout.Decode(there.Type, (byte*)there.Address, 0, values.AsSpan(at, lengths[i]));
                Report(there);
            }

            at += lengths[i];
        }

        MemoryBuffer1D<float, Stride1D.Dense> buffer = device.Accelerator.Allocate1D(values);
        _buffers.Push(buffer);
        return buffer.View;
    }

    public void Dispose()
    {
        while (_buffers.TryPop(out IDisposable? buffer)) buffer.Dispose();
    }

    private void Report(TensorData tensor)
    {
        _done += tensor.ByteLength;
        progress?.Report((double)_done / totalBytes);
    }
}
