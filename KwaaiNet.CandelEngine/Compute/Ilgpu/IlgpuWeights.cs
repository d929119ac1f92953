using ILGPU;
using ILGPU.Runtime;
using KwaaiNet.CandelEngine.Compute.Blocks;
using KwaaiNet.CandelEngine.Models;

namespace KwaaiNet.CandelEngine.Compute.Ilgpu;

/// <summary>The weights of a range on the device; owns every buffer, and frees them last to first.</summary>
internal sealed class IlgpuWeights : IDisposable
{
    private readonly Stack<IDisposable> _buffers = new();

    /// <summary>Uploads the tensors; on any failure nothing stays allocated.</summary>
    internal IlgpuWeights(Accelerator accelerator, KernelSet kernels, ModelShape shape, RangeTensors tensors, IProgress<double>? progress, CancellationToken cancellationToken)
    {
        long total = tensors.Bytes;
        long done = 0;
        try
        {
            if (tensors.Embedding is { } embedding) Embedding = Matrix(embedding);
            Blocks = Array.ConvertAll(tensors.Blocks, b => new IlgpuBlock(b, shape, Matrix, VectorIfAny));
            if (tensors.OutputNorm is { } norm) OutputNorm = Vector(norm).View;
            if (tensors.Output is { } output) Output = output == tensors.Embedding ? Embedding : Matrix(output);
        }
        catch
        {
            Dispose();
            throw;
        }

        DeviceMatrix Matrix(TensorData tensor)
        {
            cancellationToken.ThrowIfCancellationRequested();
            DeviceMatrix matrix = DeviceMatrix.Load(accelerator, kernels, tensor, cancellationToken);
            _buffers.Push(matrix);
            Report(tensor);
            return matrix;
        }

        MemoryBuffer1D<float, Stride1D.Dense> Vector(TensorData tensor)
        {
            MemoryBuffer1D<float, Stride1D.Dense> vector = DeviceUpload.Vector(accelerator, tensor);
            _buffers.Push(vector);
            Report(tensor);
            return vector;
        }

        ArrayView<float>? VectorIfAny(TensorData? tensor) => tensor is { } there ? Vector(there).View : null;

        void Report(TensorData tensor)
        {
            done += tensor.ByteLength;
            progress?.Report((double)done / total);
        }
    }

    internal DeviceMatrix? Embedding { get; }

    internal IlgpuBlock[] Blocks { get; }

    internal ArrayView<float> OutputNorm { get; }

    internal DeviceMatrix? Output { get; }

    public void Dispose()
    {
        while (_buffers.TryPop(out IDisposable? buffer)) buffer.Dispose();
    }
}
