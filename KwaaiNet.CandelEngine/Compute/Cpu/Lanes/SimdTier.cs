namespace KwaaiNet.CandelEngine.Compute.Cpu.Lanes;

/// <summary>Which kernels the cpu backend uses. Tests force one; otherwise the processor decides.</summary>
internal enum SimdTier
{
    /// <summary>Plain loops: the oracle of the others.</summary>
    Scalar,

    /// <summary>128-bit vectors: SSE, ARM64's NEON.</summary>
    Vector128,

    /// <summary>256-bit vectors: AVX2.</summary>
    Vector256,

    /// <summary>512-bit vectors: AVX-512.</summary>
    Vector512,
}
