using KwaaiNet.CandelEngine.Compute.Blocks;
using KwaaiNet.CandelEngine.Compute.Cpu.Matrices;

namespace KwaaiNet.CandelEngine.Compute.Cpu;

/// <summary>The weights of a gated feed-forward layer: a block's own, or one expert's.</summary>
internal sealed class CpuFeedForwardWeights(FeedForwardTensors tensors, MatrixLoader load) : IDisposable
{
    internal CpuMatrix Gate { get; } = load.Matrix(tensors.Gate);

    internal CpuMatrix Up { get; } = load.Matrix(tensors.Up);

    internal CpuMatrix Down { get; } = load.Matrix(tensors.Down);

    internal CpuVector GateBias { get; } = load.Vector(tensors.GateBias);

    internal CpuVector UpBias { get; } = load.Vector(tensors.UpBias);

    internal CpuVector DownBias { get; } = load.Vector(tensors.DownBias);

    public void Dispose()
    {
        Gate.Dispose();
        Up.Dispose();
        Down.Dispose();
        GateBias.Dispose();
        UpBias.Dispose();
        DownBias.Dispose();
    }
}
