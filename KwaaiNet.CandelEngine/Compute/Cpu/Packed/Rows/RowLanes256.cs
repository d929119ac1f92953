using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace KwaaiNet.CandelEngine.Compute.Cpu.Packed.Rows;

/// <summary>8 rows in a register of 256 bits (AVX2).</summary>
internal readonly unsafe struct RowLanes256 : IRowLanes<RowLanes256>
{
    private const int HalfExponent = 0x7C00;
    private const int HalfFraction = 0x03FF;
    private const int HalfMoved = unchecked((int)0x8FFFE000);
    private const float HalfBias = 5.192296858534828e33f; // 2^112
    private const float HalfUnit = 5.9604644775390625e-8f; // 2^-24
    private readonly Vector256<int> _bits;

    private RowLanes256(Vector256<int> bits) => _bits = bits;

    public static bool IsSupported => Avx2.IsSupported && Vector256.IsHardwareAccelerated;

    public static int Rows => 8;

    public static int TileRows => 4;

    public static RowLanes256 Zero
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => new(Vector256<int>.Zero);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static RowLanes256 Broadcast(int bits) => new(Vector256.Create(bits));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static RowLanes256 Broadcast(float value) => new(Vector256.Create(value).AsInt32());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static RowLanes256 BroadcastByte(byte value) => new(Vector256.Create(value).AsInt32());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static RowLanes256 Load(void* source) => new(Vector256.Load((int*)source));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(RowLanes256 lanes, float* destination) => lanes._bits.AsSingle().Store(destination);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static RowLanes256 LoadHalf(ushort* source)
    {
        Vector256<int> half = Avx2.ConvertToVector256Int32((short*)source);
        return new(Vector256.EqualsAny(half & Vector256.Create(HalfExponent), Vector256<int>.Zero) ? AnyHalf(half) : NormalHalf(half));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static RowLanes256 LoadScales(ushort* source) => new(NormalHalf(Avx2.ConvertToVector256Int32((short*)source)));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static RowLanes256 LoadBFloat16(ushort* source) => new(Avx2.ConvertToVector256Int32((short*)source) << 16);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static RowLanes256 LoadBytes(byte* source) => new(Avx2.ConvertToVector256Int32(source));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static RowLanes256 LoadSBytes(sbyte* source) => new(Avx2.ConvertToVector256Int32(source));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static RowLanes256 LoadSBytePairs(sbyte* source) => new(Avx2.ConvertToVector256Int16(source).AsInt32());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static RowLanes256 And(RowLanes256 a, RowLanes256 b) => new(a._bits & b._bits);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static RowLanes256 Or(RowLanes256 a, RowLanes256 b) => new(a._bits | b._bits);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static RowLanes256 ShiftLeft16(RowLanes256 a, [ConstantExpected] byte count) => new((a._bits.AsUInt16() << count).AsInt32());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static RowLanes256 ShiftRight16(RowLanes256 a, [ConstantExpected] byte count) => new((a._bits.AsUInt16() >> count).AsInt32());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static RowLanes256 ShiftLeft32(RowLanes256 a, [ConstantExpected] byte count) => new(a._bits << count);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static RowLanes256 AddBytes(RowLanes256 sum, RowLanes256 weights, RowLanes256 activations) =>
        new((sum._bits.AsInt16() + Avx2.MultiplyAddAdjacent(weights._bits.AsByte(), activations._bits.AsSByte())).AsInt32());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static RowLanes256 EndBytes(RowLanes256 sum) => new(Avx2.MultiplyAddAdjacent(sum._bits.AsInt16(), Vector256.Create((short)1)));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static RowLanes256 EndBytes(RowLanes256 sum, RowLanes256 scales) => new(Avx2.MultiplyAddAdjacent(sum._bits.AsInt16(), scales._bits.AsInt16()));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static RowLanes256 PrepareScales(RowLanes256 integers) => new((integers._bits & Vector256.Create(0xFFFF)) | (integers._bits << 16));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static RowLanes256 MultiplyPairs(RowLanes256 a, RowLanes256 b) => new(Avx2.MultiplyAddAdjacent(a._bits.AsInt16(), b._bits.AsInt16()));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static RowLanes256 AddIntegers(RowLanes256 a, RowLanes256 b) => new(a._bits + b._bits);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static RowLanes256 SubtractIntegers(RowLanes256 a, RowLanes256 b) => new(a._bits - b._bits);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static RowLanes256 ToFloat(RowLanes256 integers) => new(Vector256.ConvertToSingle(integers._bits).AsInt32());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static RowLanes256 Multiply(RowLanes256 a, RowLanes256 b) => new((a._bits.AsSingle() * b._bits.AsSingle()).AsInt32());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static RowLanes256 FusedMultiplyAdd(RowLanes256 a, RowLanes256 b, RowLanes256 c) =>
        new(Vector256.FusedMultiplyAdd(a._bits.AsSingle(), b._bits.AsSingle(), c._bits.AsSingle()).AsInt32());

    // Widening with the sign leaves it in the top bit after the shift; multiplying by 2^112 corrects the exponent's bias exactly.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<int> NormalHalf(Vector256<int> half) =>
        (((half << 13) & Vector256.Create(HalfMoved)).AsSingle() * Vector256.Create(HalfBias)).AsInt32();

    // A subnormal one, whose value is its fraction times 2^-24, must not become a subnormal float on the way.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<int> AnyHalf(Vector256<int> half)
    {
        Vector256<int> small = Vector256.Equals(half & Vector256.Create(HalfExponent), Vector256<int>.Zero);
        Vector256<float> fraction = Vector256.ConvertToSingle(half & Vector256.Create(HalfFraction)) * Vector256.Create(HalfUnit);
        return Vector256.ConditionalSelect(small, fraction.AsInt32() | (half & Vector256.Create(int.MinValue)), NormalHalf(Vector256.AndNot(half, small)));
    }
}
