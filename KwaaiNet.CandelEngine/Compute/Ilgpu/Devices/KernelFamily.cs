using ILGPU.Runtime;
using ILGPU.Runtime.Cuda;

namespace KwaaiNet.CandelEngine.Compute.Ilgpu.Devices;

/// <summary>Which kernels an accelerator runs; either gives the same bits whatever the number of rows.</summary>
internal enum KernelFamily
{
    /// <summary>A work item a result, without groups: every device.</summary>
    Portable,

    /// <summary>Warps of 32, shared memory, dp4a and tensor cores: CUDA from compute capability 8.0.</summary>
    Cuda,
}

/// <summary>Chooses a family.</summary>
internal static class KernelFamilies
{
    internal static KernelFamily Of(Accelerator accelerator) =>
        accelerator is CudaAccelerator cuda && cuda.Architecture >= CudaArchitecture.SM_80 ? KernelFamily.Cuda : KernelFamily.Portable;
}
