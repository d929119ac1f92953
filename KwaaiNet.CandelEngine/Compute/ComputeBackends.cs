using KwaaiNet.CandelEngine.Compute.Cpu;
using KwaaiNet.CandelEngine.Compute.Ilgpu;

namespace KwaaiNet.CandelEngine.Compute;

/// <summary>Makes backends by the name a user types.</summary>
public static class ComputeBackends
{
    /// <summary>A GPU if there is one that ILGPU can use, else the processor.</summary>
    public const string Auto = "auto";

    /// <summary>Names that <see cref="Create"/> knows.</summary>
    public static IReadOnlyList<string> Names { get; } = [Auto, CpuBackend.BackendName, IlgpuBackend.BackendName];

    /// <summary>Makes a backend.</summary>
    /// <param name="name"><c>cpu</c>, <c>ilgpu</c> or <c>auto</c>; case does not matter.</param>
    /// <param name="options">Settings; null for the defaults.</param>
    /// <exception cref="ArgumentException">There is no backend of that name; the message lists those there are.</exception>
    /// <exception cref="ComputeUnavailableException"><c>ilgpu</c> was asked for and there is no device for it.</exception>
    public static IComputeBackend Create(string name, ComputeOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(name);
        options ??= new ComputeOptions();
        return name.ToLowerInvariant() switch
        {
            CpuBackend.BackendName => new CpuBackend(options.Cpu),
            IlgpuBackend.BackendName => IlgpuBackend.Open(options.Ilgpu),
            Auto => IlgpuBackend.TryOpenGpu(options.Ilgpu) ?? (IComputeBackend)new CpuBackend(options.Cpu),
            _ => throw new ArgumentException($"There is no compute backend '{name}'; there are {string.Join(", ", Names)}.", nameof(name)),
        };
    }
}
