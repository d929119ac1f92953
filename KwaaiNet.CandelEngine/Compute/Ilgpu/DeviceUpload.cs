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

    /// <summary>A vector as float32, whatever the file stores.</summary>
    internal static MemoryBuffer1D<float, Stride1D.Dense> Vector(Accelerator accelerator, TensorData tensor)
    {
        var values = new float[tensor.Columns];
        WeightLayout.Decode(tensor.Type, (byte*)tensor.Address, 0, values);
        return accelerator.Allocate1D(values);
    }
}
