using ILGPU.IR.Intrinsics;

namespace KwaaiNet.CandelEngine.Compute.Ilgpu.Arithmetic;

/// <summary>float32 operations that no compiler may fuse or split.</summary>
/// <remarks>
/// ILGPU writes <c>a * b + c</c> as two instructions, and the driver's compiler joins them where it likes, in one kernel and not in
/// another. Two kernels that must give the same bits (prefill and decode) say which they mean. Elsewhere than on CUDA these are C#'s
/// own operators, and <see cref="Fma"/> rounds twice: only CUDA has more than one kernel for a result.
/// </remarks>
internal static class Rounded
{
    /// <summary><c>a · b</c>, rounded.</summary>
    [IntrinsicImplementation]
    internal static float Multiply(float a, float b) => a * b;

    /// <summary><c>a + b</c>, rounded.</summary>
    [IntrinsicImplementation]
    internal static float Add(float a, float b) => a + b;

    /// <summary><c>a · b + c</c>, rounded once on CUDA.</summary>
    [IntrinsicImplementation]
    internal static float Fma(float a, float b, float c) => (a * b) + c;
}
