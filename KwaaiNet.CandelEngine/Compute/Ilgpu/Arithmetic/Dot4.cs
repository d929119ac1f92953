using ILGPU.IR.Intrinsics;

namespace KwaaiNet.CandelEngine.Compute.Ilgpu.Arithmetic;

/// <summary>Sums of products of four bytes each: <c>dp4a</c> on CUDA, plain operations elsewhere.</summary>
internal static class Dot4
{
    /// <summary><c>sum + Σ a[k] · b[k]</c> of signed bytes.</summary>
    [IntrinsicImplementation]
    internal static int Signed(int a, int b, int sum) => PlainOperations.Signed(a, b, sum);

    /// <summary><see cref="Signed"/>, but the second's bytes are unsigned.</summary>
    [IntrinsicImplementation]
    internal static int Mixed(int a, int b, int sum) => PlainOperations.Mixed(a, b, sum);
}
