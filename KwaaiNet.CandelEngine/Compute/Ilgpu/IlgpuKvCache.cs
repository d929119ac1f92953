using ILGPU;
using ILGPU.Runtime;
using KwaaiNet.CandelEngine.Compute.Stacks;

namespace KwaaiNet.CandelEngine.Compute.Ilgpu;

/// <summary>A session's keys and values on the device, float32: for each block <c>keys [Capacity, KvWidth]</c>, then <c>values</c>.</summary>
internal sealed class IlgpuKvCache : StackCache
{
    private readonly IlgpuDevice _device;
    private readonly MemoryBuffer1D<float, Stride1D.Dense> _buffer;
    private readonly long _blockHalf;

    internal IlgpuKvCache(IlgpuBlockStack stack, IlgpuDevice device, int firstBlock, int endBlock, int capacity, long bytes)
        : base(stack, firstBlock, endBlock, capacity, bytes)
    {
        _device = device;
        _blockHalf = (long)capacity * stack.Shape.KvWidth;
        _buffer = device.Accelerator.Allocate1D<float>(bytes / sizeof(float));
    }

    internal ArrayView<float> Keys(int block) => ((ArrayView<float>)_buffer.View).SubView((block - FirstBlock) * 2 * _blockHalf, _blockHalf);

    internal ArrayView<float> Values(int block) => ((ArrayView<float>)_buffer.View).SubView((((block - FirstBlock) * 2) + 1) * _blockHalf, _blockHalf);

    internal override void Reserve(int length)
    {
        // The whole capacity was allocated when the cache was made.
    }

    protected override void Free()
    {
        lock (_device.Gate) IlgpuDevice.Release(_buffer.Dispose);
    }
}
