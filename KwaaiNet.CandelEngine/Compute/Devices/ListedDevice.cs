namespace KwaaiNet.CandelEngine.Compute.Devices;

/// <summary>A device of this machine that a backend may compute on, as the device itself reports it.</summary>
public sealed record ListedDevice
{
    /// <summary>The backend that runs on it: <c>cpu</c> or <c>ilgpu</c>.</summary>
    public required string Backend { get; init; }

    /// <summary>The number that <see cref="Ilgpu.IlgpuOptions.DeviceIndex"/> takes; null for the processor, which has none.</summary>
    public int? Index { get; init; }

    /// <summary>Kind, name and total memory.</summary>
    public required ComputeDevice Device { get; init; }

    /// <summary>Whether it is a graphics processor: what <c>auto</c> looks for.</summary>
    public required bool IsGpu { get; init; }

    /// <summary>Memory nobody has taken, in bytes; null where the device does not tell.</summary>
    public long? FreeBytes { get; init; }

    /// <summary>What code is made for: the compute capability (<c>sm_90</c>), the OpenCL C version, or the width of the processor's vectors.</summary>
    public string? Architecture { get; init; }

    /// <summary>What drives it, with its version; null for what needs no driver.</summary>
    public string? Driver { get; init; }

    /// <summary>Multiprocessors, compute units or processors.</summary>
    public int? Units { get; init; }

    /// <summary>Why it cannot be used, and what to do; null where it can.</summary>
    public string? Problem { get; init; }
}
