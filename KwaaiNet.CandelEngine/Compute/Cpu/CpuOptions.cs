namespace KwaaiNet.CandelEngine.Compute.Cpu;

/// <summary>Settings of the <c>cpu</c> backend.</summary>
public sealed record CpuOptions
{
    /// <summary>Threads that compute, the calling one included. <value>0, the default: one per processor.</value></summary>
    /// <remarks>Results do not depend on it.</remarks>
    public int Threads { get; init; }
}
