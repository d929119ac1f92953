using KwaaiNet.CandelEngine.Compute.Cpu;
using KwaaiNet.CandelEngine.Compute.Ilgpu;

namespace KwaaiNet.CandelEngine.Compute.Backends;

/// <summary>Settings of every backend; the one that is created reads its own part.</summary>
public sealed record ComputeOptions
{
    /// <summary>Settings of the <c>cpu</c> backend.</summary>
    public CpuOptions Cpu { get; init; } = new();

    /// <summary>Settings of the <c>ilgpu</c> backend.</summary>
    public IlgpuOptions Ilgpu { get; init; } = new();

    /// <summary>Told why <c>auto</c> goes on without a GPU, a sentence at a time; null: nobody is.</summary>
    public Action<string>? Told { get; init; }
}
