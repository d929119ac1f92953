using ILGPU.IR.Intrinsics;

namespace KwaaiNet.CandelEngine.Compute.Ilgpu.Arithmetic;

/// <summary>The numbers of two binary16 in one word.</summary>
internal static class HalfPair
{
    /// <summary>The lower 16 bits' number.</summary>
    [IntrinsicImplementation]
    internal static float Low(int pair) => PlainOperations.Low(pair);

    /// <summary>The upper 16 bits' number.</summary>
    [IntrinsicImplementation]
    internal static float High(int pair) => PlainOperations.High(pair);
}
