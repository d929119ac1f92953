using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace KwaaiNet.CandelEngine.Compute.Cpu.Lanes;

/// <summary>Widens binary16 to float32 exactly, by integer steps, because .NET has no vector conversion from Half.</summary>
/// <remarks>
/// The sign stays at the top, exponent and fraction move up 13 bits; multiplying by 2^112 then corrects the exponent's bias and makes
/// subnormals normal, exactly. Infinities and NaNs are the ones that come out at 65536 and beyond; they get float32's full exponent.
/// </remarks>
internal static class HalfBits
{
    private const int Moved = unchecked((int)0x8FFFE000);
    private const int SingleInfinity = 0x7F800000;
    private const float BiasCorrection = 5.192296858534828e33f; // 2^112
    private const float Beyond = 65536;

    /// <param name="half">Binary16 numbers, widened with their signs.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static Vector512<float> ToSingle(Vector512<int> half)
    {
        Vector512<float> value = ((half << 13) & Vector512.Create(Moved)).AsSingle() * Vector512.Create(BiasCorrection);
        Vector512<int> full = Vector512.GreaterThanOrEqual(Vector512.Abs(value), Vector512.Create(Beyond)).AsInt32() & Vector512.Create(SingleInfinity);
        return (value.AsInt32() | full).AsSingle();
    }

    /// <param name="half">Binary16 numbers, widened with their signs.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static Vector256<float> ToSingle(Vector256<int> half)
    {
        Vector256<float> value = ((half << 13) & Vector256.Create(Moved)).AsSingle() * Vector256.Create(BiasCorrection);
        Vector256<int> full = Vector256.GreaterThanOrEqual(Vector256.Abs(value), Vector256.Create(Beyond)).AsInt32() & Vector256.Create(SingleInfinity);
        return (value.AsInt32() | full).AsSingle();
    }

    /// <param name="half">Binary16 numbers, widened with their signs.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static Vector128<float> ToSingle(Vector128<int> half)
    {
        Vector128<float> value = ((half << 13) & Vector128.Create(Moved)).AsSingle() * Vector128.Create(BiasCorrection);
        Vector128<int> full = Vector128.GreaterThanOrEqual(Vector128.Abs(value), Vector128.Create(Beyond)).AsInt32() & Vector128.Create(SingleInfinity);
        return (value.AsInt32() | full).AsSingle();
    }
}
