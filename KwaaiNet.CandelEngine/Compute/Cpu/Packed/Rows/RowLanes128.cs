using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.Arm;
using System.Runtime.Intrinsics.X86;

namespace KwaaiNet.CandelEngine.Compute.Cpu.Packed.Rows;

/// <summary>4 rows in a register of 128 bits: SSSE3, or ARM64's NEON with its dot product where the processor has that.</summary>
/// <remarks>
/// On ARM <see cref="AddBytes"/> sums to 32 bits at once, so ending a sum is nothing there and scales stay plain integers; on x86 it
/// sums pairs to 16 bits. Both are exact, so both give the same integer.
/// </remarks>
internal readonly unsafe struct RowLanes128 : IRowLanes<RowLanes128>
{
    private const int HalfExponent = 0x7C00;
    private const int HalfFraction = 0x03FF;
    private const int HalfMoved = unchecked((int)0x8FFFE000);
    private const float HalfBias = 5.192296858534828e33f; // 2^112
    private const float HalfUnit = 5.9604644775390625e-8f; // 2^-24
    private readonly Vector128<int> _bits;

    private RowLanes128(Vector128<int> bits) => _bits = bits;

    public static bool IsSupported => Ssse3.IsSupported || AdvSimd.Arm64.IsSupported;

    public static int Rows => 4;

    public static int TileRows => 4;

    public static RowLanes128 Zero
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => new(Vector128<int>.Zero);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static RowLanes128 Broadcast(int bits) => new(Vector128.Create(bits));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static RowLanes128 Broadcast(float value) => new(Vector128.Create(value).AsInt32());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static RowLanes128 BroadcastByte(byte value) => new(Vector128.Create(value).AsInt32());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static RowLanes128 Load(void* source) => new(Vector128.Load((int*)source));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(RowLanes128 lanes, float* destination) => lanes._bits.AsSingle().Store(destination);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static RowLanes128 LoadHalf(ushort* source)
    {
        Vector128<int> half = WidenShorts(source);
        return new(Vector128.EqualsAny(half & Vector128.Create(HalfExponent), Vector128<int>.Zero) ? AnyHalf(half) : NormalHalf(half));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static RowLanes128 LoadScales(ushort* source) => new(NormalHalf(WidenShorts(source)));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static RowLanes128 LoadBFloat16(ushort* source) => new(WidenShorts(source) << 16);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static RowLanes128 LoadBytes(byte* source) =>
        new(Vector128.WidenLower(Vector128.WidenLower(Vector128.CreateScalar(Unsafe.ReadUnaligned<uint>(source)).AsByte())).AsInt32());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static RowLanes128 LoadSBytes(sbyte* source) =>
        new(Vector128.WidenLower(Vector128.WidenLower(Vector128.CreateScalar(Unsafe.ReadUnaligned<uint>(source)).AsSByte())));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static RowLanes128 LoadSBytePairs(sbyte* source) =>
        new(Vector128.WidenLower(Vector128.CreateScalar(Unsafe.ReadUnaligned<ulong>(source)).AsSByte()).AsInt32());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static RowLanes128 And(RowLanes128 a, RowLanes128 b) => new(a._bits & b._bits);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static RowLanes128 Or(RowLanes128 a, RowLanes128 b) => new(a._bits | b._bits);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static RowLanes128 ShiftLeft16(RowLanes128 a, [ConstantExpected] byte count) => new((a._bits.AsUInt16() << count).AsInt32());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static RowLanes128 ShiftRight16(RowLanes128 a, [ConstantExpected] byte count) => new((a._bits.AsUInt16() >> count).AsInt32());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static RowLanes128 ShiftLeft32(RowLanes128 a, [ConstantExpected] byte count) => new(a._bits << count);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static RowLanes128 AddBytes(RowLanes128 sum, RowLanes128 weights, RowLanes128 activations)
    {
        if (Ssse3.IsSupported)
            return new((sum._bits.AsInt16() + Ssse3.MultiplyAddAdjacent(weights._bits.AsByte(), activations._bits.AsSByte())).AsInt32());
        if (Dp.IsSupported)
            return new(Dp.DotProduct(sum._bits, weights._bits.AsSByte(), activations._bits.AsSByte()));

        Vector128<sbyte> w = weights._bits.AsSByte();
        Vector128<sbyte> a = activations._bits.AsSByte();
        Vector128<int> lower = AdvSimd.AddPairwiseWidening(AdvSimd.MultiplyWideningLower(w.GetLower(), a.GetLower()));
        Vector128<int> upper = AdvSimd.AddPairwiseWidening(AdvSimd.MultiplyWideningUpper(w, a));
        return new(sum._bits + AdvSimd.Arm64.AddPairwise(lower, upper));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static RowLanes128 EndBytes(RowLanes128 sum) =>
        Ssse3.IsSupported ? new(Sse2.MultiplyAddAdjacent(sum._bits.AsInt16(), Vector128.Create((short)1))) : sum;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static RowLanes128 EndBytes(RowLanes128 sum, RowLanes128 scales) =>
        Ssse3.IsSupported ? new(Sse2.MultiplyAddAdjacent(sum._bits.AsInt16(), scales._bits.AsInt16())) : new(sum._bits * scales._bits);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static RowLanes128 PrepareScales(RowLanes128 integers) =>
        Ssse3.IsSupported ? new((integers._bits & Vector128.Create(0xFFFF)) | (integers._bits << 16)) : integers;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static RowLanes128 MultiplyPairs(RowLanes128 a, RowLanes128 b)
    {
        if (Sse2.IsSupported) return new(Sse2.MultiplyAddAdjacent(a._bits.AsInt16(), b._bits.AsInt16()));

        Vector128<int> lower = AdvSimd.MultiplyWideningLower(a._bits.AsInt16().GetLower(), b._bits.AsInt16().GetLower());
        Vector128<int> upper = AdvSimd.MultiplyWideningUpper(a._bits.AsInt16(), b._bits.AsInt16());
        return new(AdvSimd.Arm64.AddPairwise(lower, upper));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static RowLanes128 AddIntegers(RowLanes128 a, RowLanes128 b) => new(a._bits + b._bits);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static RowLanes128 SubtractIntegers(RowLanes128 a, RowLanes128 b) => new(a._bits - b._bits);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static RowLanes128 ToFloat(RowLanes128 integers) => new(Vector128.ConvertToSingle(integers._bits).AsInt32());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static RowLanes128 Multiply(RowLanes128 a, RowLanes128 b) => new((a._bits.AsSingle() * b._bits.AsSingle()).AsInt32());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static RowLanes128 FusedMultiplyAdd(RowLanes128 a, RowLanes128 b, RowLanes128 c) =>
        new(Vector128.FusedMultiplyAdd(a._bits.AsSingle(), b._bits.AsSingle(), c._bits.AsSingle()).AsInt32());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<int> WidenShorts(ushort* source) =>
        Vector128.WidenLower(Vector128.CreateScalar(Unsafe.ReadUnaligned<ulong>(source)).AsInt16());

    // As in RowLanes512.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<int> NormalHalf(Vector128<int> half) =>
        (((half << 13) & Vector128.Create(HalfMoved)).AsSingle() * Vector128.Create(HalfBias)).AsInt32();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<int> AnyHalf(Vector128<int> half)
    {
        Vector128<int> small = Vector128.Equals(half & Vector128.Create(HalfExponent), Vector128<int>.Zero);
        Vector128<float> fraction = Vector128.ConvertToSingle(half & Vector128.Create(HalfFraction)) * Vector128.Create(HalfUnit);
        return Vector128.ConditionalSelect(small, fraction.AsInt32() | (half & Vector128.Create(int.MinValue)), NormalHalf(Vector128.AndNot(half, small)));
    }
}
