using ILGPU.IR.Intrinsics;

namespace KwaaiNet.CandelEngine.Compute.Ilgpu.Cuda;

/// <summary>Sums of products of four bytes each: <c>dp4a</c> on CUDA, plain operations elsewhere.</summary>
internal static class Dot4
{
    /// <summary><c>sum + Σ a[k] · b[k]</c> of signed bytes.</summary>
    [IntrinsicImplementation]
    internal static int Signed(int a, int b, int sum) =>
        sum + (((a << 24) >> 24) * ((b << 24) >> 24))
            + (((a << 16) >> 24) * ((b << 16) >> 24))
            + (((a << 8) >> 24) * ((b << 8) >> 24))
            + ((a >> 24) * (b >> 24));

    /// <summary><see cref="Signed"/>, but the second's bytes are unsigned.</summary>
    [IntrinsicImplementation]
    internal static int Mixed(int a, int b, int sum) =>
        sum + (((a << 24) >> 24) * (b & 255))
            + (((a << 16) >> 24) * ((b >> 8) & 255))
            + (((a << 8) >> 24) * ((b >> 16) & 255))
            + ((a >> 24) * ((b >> 24) & 255));
}
