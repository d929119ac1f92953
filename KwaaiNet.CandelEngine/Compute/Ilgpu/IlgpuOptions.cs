namespace KwaaiNet.CandelEngine.Compute.Ilgpu;

/// <summary>Settings of the <c>ilgpu</c> backend.</summary>
public sealed record IlgpuOptions
{
    /// <summary>Whether ILGPU's CPU accelerator may stand in where there is no GPU. It is a simulator: right, and very slow. Default false.</summary>
    public bool AllowCpuAccelerator { get; init; }

    /// <summary>Use the CPU accelerator even where there is a GPU. Default false; implies <see cref="AllowCpuAccelerator"/>.</summary>
    public bool ForceCpuAccelerator { get; init; }

    /// <summary>
    /// Which device, by the number that <see cref="Backends.ComputeBackends.Devices"/> gives it: CUDA devices first, OpenCL's after them, ILGPU's CPU
    /// accelerator last. Null, the default: the first GPU that can be used.
    /// </summary>
    public int? DeviceIndex { get; init; }

    /// <summary>
    /// Whether a decode step may be launched as one CUDA graph, where the driver has them and the graph gives the bits of its launches one
    /// by one. Default true; nothing but time depends on it.
    /// </summary>
    public bool Graphs { get; init; } = true;
}
