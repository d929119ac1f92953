using System.Runtime.CompilerServices;
using ILGPU;
using ILGPU.Runtime;
using KwaaiNet.CandelEngine.Compute.Blocks;
using KwaaiNet.CandelEngine.Models;

namespace KwaaiNet.CandelEngine.Compute.Ilgpu;

/// <summary>Brings tensors from the mapped file to the device.</summary>
internal static unsafe class DeviceUpload
{
    // Between looks at the cancellation token.
    private const long ChunkBytes = 64L << 20;

    /// <summary>Copies a tensor's bytes as they are.</summary>
    internal static MemoryBuffer1D<T, Stride1D.Dense> Copy<T>(Accelerator accelerator, TensorData tensor, CancellationToken cancellationToken)
        where T : unmanaged
    {
        long length = tensor.ByteLength / sizeof(T);
        MemoryBuffer1D<T, Stride1D.Dense> buffer = accelerator.Allocate1D<T>(length);
        try
        {
            ArrayView<T> view = buffer.View;
            long chunk = ChunkBytes / sizeof(T);
            for (long at = 0; at < length; at += chunk)
            {
                cancellationToken.ThrowIfCancellationRequested();
                long count = Math.Min(chunk, length - at);
                view.SubView(at, count).CopyFromCPU(ref Unsafe.AsRef<T>((T*)tensor.Address + at), count);
            }

            return buffer;
        }
        catch
        {
            buffer.Dispose();
            throw;
        }
    }

    /// <summary>Decodes a matrix to float32 on the way, row after row.</summary>
    internal static MemoryBuffer1D<float, Stride1D.Dense> Decode(Accelerator accelerator, TensorData tensor, CancellationToken cancellationToken)
    {
        MemoryBuffer1D<float, Stride1D.Dense> buffer = accelerator.Allocate1D<float>((long)tensor.Rows * tensor.Columns);
        try
        {
            int rowsTogether = (int)Math.Clamp(ChunkBytes / ((long)tensor.Columns * sizeof(float)), 1, tensor.Rows);
            long rowBytes = WeightLayout.RowBytes(tensor.Type, tensor.Columns);
            var values = new float[checked(rowsTogether * tensor.Columns)];
            for (int row = 0; row < tensor.Rows; row += rowsTogether)
            {
                cancellationToken.ThrowIfCancellationRequested();
                int count = Math.Min(rowsTogether, tensor.Rows - row) * tensor.Columns;
                WeightLayout.Decode(tensor.Type, (byte*)tensor.Address + (row * rowBytes), 0, values.AsSpan(0, count));
                buffer.View.SubView((long)row * tensor.Columns, count).CopyFromCPU(ref values[0], count);
            }

            return buffer;
        }
        catch
        {
            buffer.Dispose();
            throw;
        }
    }

    /// <summary>A vector as float32, whatever the file stores.</summary>
    internal static MemoryBuffer1D<float, Stride1D.Dense> Vector(Accelerator accelerator, TensorData tensor)
    {
        var values = new float[tensor.Columns];
        WeightLayout.Decode(tensor.Type, (byte*)tensor.Address, 0, values);
        return accelerator.Allocate1D(values);
    }
}
