using ILGPU;
using ILGPU.Runtime;
using ILGPU.Runtime.Cuda;
using ILGPU.Runtime.OpenCL;

namespace KwaaiNet.CandelEngine.Compute.Ilgpu.Devices;

/// <summary>A device that ILGPU sees, not opened.</summary>
/// <param name="Device">As ILGPU describes it; null for the CPU accelerator, which is made when it is opened.</param>
internal sealed record FoundDevice(Device? Device)
{
    /// <summary><c>cuda</c>, <c>opencl</c> or <c>cpu-accelerator</c>.</summary>
    internal string Kind => Device switch
    {
        CudaDevice => "cuda",
        CLDevice => "opencl",
        _ => "cpu-accelerator",
    };

    /// <summary>Whether it is a graphics processor.</summary>
    internal bool IsGpu => Device is CudaDevice or CLDevice { DeviceType: CLDeviceType.CL_DEVICE_TYPE_GPU };

    /// <summary>Whether <c>auto</c> may take it: a graphics processor that ILGPU can write kernels for.</summary>
    internal bool IsUsableGpu => IsGpu && Problem is null;

    /// <summary>Why ILGPU cannot run kernels on it, and what to do; null where it can.</summary>
    internal string? Problem => Device switch
    {
        CudaDevice { Architecture: null } => "ILGPU does not know this card.",
        CudaDevice { Architecture: { } architecture } when architecture < CudaArchitecture.SM_53 =>
            $"Its compute capability, {architecture.Major}.{architecture.Minor}, is below the 5.3 that binary16 needs.",
        CudaDevice { InstructionSet: null } cuda => $"The driver (CUDA {cuda.DriverVersion}) is too old for what ILGPU writes. Install a newer one.",
        CLDevice cl when cl.CVersion < ILGPU.Backends.OpenCL.CLBackend.MinimumVersion => $"It speaks {cl.CVersion}; ILGPU needs OpenCL C 2.0 or later. Install a newer driver.",
        CLDevice { Capabilities.GenericAddressSpace: false } => "Its driver has no generic address space, which ILGPU needs. Install a newer one.",
        _ => null,
    };

    /// <summary>What code is made for.</summary>
    internal string? Architecture => Device switch
    {
        CudaDevice { Architecture: { } architecture } => $"sm_{architecture.Major}{architecture.Minor}",
        CLDevice cl => cl.CVersion.ToString(),
        _ => null,
    };

    /// <summary>What drives it.</summary>
    internal string? Driver => Device switch
    {
        CudaDevice cuda => $"CUDA {cuda.DriverVersion}",
        CLDevice cl => $"{cl.PlatformName}, {cl.PlatformVersion}",
        _ => null,
    };

    /// <summary>Registers the device, and no other, in a context that is being made.</summary>
    internal void Register(Context.Builder builder)
    {
        switch (Device)
        {
            case CudaDevice cuda:
                builder.Cuda(other => other.DeviceId == cuda.DeviceId);
                break;
            case CLDevice cl:
                builder.OpenCL(other => other.DeviceId == cl.DeviceId);
                break;
        }
    }
}
