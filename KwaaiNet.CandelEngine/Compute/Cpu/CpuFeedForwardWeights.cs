using KwaaiNet.CandelEngine.Compute.Blocks;
using KwaaiNet.CandelEngine.Compute.Cpu.Kernels;

namespace KwaaiNet.CandelEngine.Compute.Cpu;

/// <summary>The weights of a gated feed-forward layer: a block's own, or one expert's.</summary>
internal sealed class CpuFeedForwardWeights(FeedForwardTensors tensors) : IDisposable
{
    internal WeightMatrix Gate { get; } = new(tensors.Gate);

    internal WeightMatrix Up { get; } = new(tensors.Up);

    internal WeightMatrix Down { get; } = new(tensors.Down);

    internal CpuVector GateBias { get; } = new(tensors.GateBias);

    internal CpuVector UpBias { get; } = new(tensors.UpBias);

    internal CpuVector DownBias { get; } = new(tensors.DownBias);

    public void Dispose()
    {
        GateBias.Dispose();
        UpBias.Dispose();
        DownBias.Dispose();
    }
}
