using ILGPU;
using ILGPU.Runtime;
using KwaaiNet.CandelEngine.Compute.Blocks;
using KwaaiNet.CandelEngine.Models;

namespace KwaaiNet.CandelEngine.Compute.Ilgpu;

/// <summary>One block's weights on the device.</summary>
internal sealed class IlgpuBlock
{
    internal IlgpuBlock(BlockTensors tensors, Func<TensorData, DeviceMatrix> matrix, Func<TensorData, MemoryBuffer1D<float, Stride1D.Dense>> vector)
    {
        AttentionNorm = vector(tensors.AttentionNorm).View;
        Query = matrix(tensors.Query);
        Key = matrix(tensors.Key);
        Value = matrix(tensors.Value);
        AttentionOutput = matrix(tensors.AttentionOutput);
        FeedForwardNorm = vector(tensors.FeedForwardNorm).View;
        Gate = matrix(tensors.FeedForward!.Gate);
        Up = matrix(tensors.FeedForward!.Up);
        Down = matrix(tensors.FeedForward!.Down);
    }

    internal ArrayView<float> AttentionNorm { get; }

    internal DeviceMatrix Query { get; }

    internal DeviceMatrix Key { get; }

    internal DeviceMatrix Value { get; }

    internal DeviceMatrix AttentionOutput { get; }

    internal ArrayView<float> FeedForwardNorm { get; }

    internal DeviceMatrix Gate { get; }

    internal DeviceMatrix Up { get; }

    internal DeviceMatrix Down { get; }
}
