using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace KwaaiNet.CandelEngine.Compute.Cpu.Lanes;

/// <summary>Widens binary16 to float32 exactly, by integer steps, because .NET has no vector conversion from Half.</summary>
/// <remarks>
/// Exponent and fraction move up 13 bits; multiplying by 2^112 then corrects the exponent's bias and makes subnormals normal,
/// exactly. Infinities and NaNs are the ones whose moved exponent is full; they get float32's full exponent.
/// </remarks>
internal static class HalfBits
{
    private const int SignMask = 0x8000;
    private const int MagnitudeMask = 0x7FFF;
    private const int InfinityMoved = 0x7C00 << 13;
    private const int SingleInfinity = 0x7F800000;
    private const float BiasCorrection = 5.192296858534828e33f; // 2^112

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static Vector512<float> ToSingle(Vector512<int> half)
    {
        Vector512<int> moved = (half & Vector512.Create(MagnitudeMask)) << 13;
        Vector512<int> full = Vector512.GreaterThanOrEqual(moved, Vector512.Create(InfinityMoved)) & Vector512.Create(SingleInfinity);
        Vector512<int> magnitude = (moved.AsSingle() * Vector512.Create(BiasCorrection)).AsInt32() | full;
        return (magnitude | ((half & Vector512.Create(SignMask)) << 16)).AsSingle();
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static Vector256<float> ToSingle(Vector256<int> half)
    {
        Vector256<int> moved = (half & Vector256.Create(MagnitudeMask)) << 13;
        Vector256<int> full = Vector256.GreaterThanOrEqual(moved, Vector256.Create(InfinityMoved)) & Vector256.Create(SingleInfinity);
        Vector256<int> magnitude = (moved.AsSingle() * Vector256.Create(BiasCorrection)).AsInt32() | full;
        return (magnitude | ((half & Vector256.Create(SignMask)) << 16)).AsSingle();
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static Vector128<float> ToSingle(Vector128<int> half)
    {
        Vector128<int> moved = (half & Vector128.Create(MagnitudeMask)) << 13;
        Vector128<int> full = Vector128.GreaterThanOrEqual(moved, Vector128.Create(InfinityMoved)) & Vector128.Create(SingleInfinity);
        Vector128<int> magnitude = (moved.AsSingle() * Vector128.Create(BiasCorrection)).AsInt32() | full;
        return (magnitude | ((half & Vector128.Create(SignMask)) << 16)).AsSingle();
    }
}
