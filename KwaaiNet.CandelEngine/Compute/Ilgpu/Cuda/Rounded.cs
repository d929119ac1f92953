using ILGPU.Runtime.Cuda;

namespace KwaaiNet.CandelEngine.Compute.Ilgpu.Cuda;

/// <summary>float32 operations that no compiler may fuse or split.</summary>
/// <remarks>
/// ILGPU writes <c>a * b + c</c> as two instructions, and the driver's compiler joins them where it likes, in one kernel and not in
/// another. Two kernels that must give the same bits (prefill and decode) say which they mean. Elsewhere than on CUDA these are C#'s
/// own operators, and <see cref="Fma"/> rounds twice: only CUDA has more than one kernel for a result.
/// </remarks>
internal static class Rounded
{
    /// <summary><c>a · b</c>, rounded.</summary>
    internal static float Multiply(float a, float b)
    {
        if (!CudaAsm.IsSupported) return a * b;

        CudaAsm.Emit("mul.rn.f32 %0, %1, %2;", out float product, a, b);
        return product;
    }

    /// <summary><c>a + b</c>, rounded.</summary>
    internal static float Add(float a, float b)
    {
        if (!CudaAsm.IsSupported) return a + b;

        CudaAsm.Emit("add.rn.f32 %0, %1, %2;", out float sum, a, b);
        return sum;
    }

    /// <summary><c>a · b + c</c>, rounded once on CUDA.</summary>
    internal static float Fma(float a, float b, float c)
    {
        if (!CudaAsm.IsSupported) return (a * b) + c;

        CudaAsm.Emit("fma.rn.f32 %0, %1, %2, %3;", out float sum, a, b, c);
        return sum;
    }
}
