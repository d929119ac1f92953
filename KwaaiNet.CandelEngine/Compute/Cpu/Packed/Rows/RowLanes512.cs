using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace KwaaiNet.CandelEngine.Compute.Cpu.Packed.Rows;

/// <summary>16 rows in a register of 512 bits (AVX-512).</summary>
internal readonly unsafe struct RowLanes512 : IRowLanes<RowLanes512>
{
    private const int HalfExponent = 0x7C00;
    private const int HalfFraction = 0x03FF;
    private const int HalfMoved = unchecked((int)0x8FFFE000);
    private const float HalfBias = 5.192296858534828e33f; // 2^112
    private const float HalfUnit = 5.9604644775390625e-8f; // 2^-24
    private readonly Vector512<int> _bits;

    private RowLanes512(Vector512<int> bits) => _bits = bits;

    public static bool IsSupported => Avx512BW.IsSupported && Vector512.IsHardwareAccelerated;

    public static int Rows => 16;

    public static int TileRows => 8;

    public static RowLanes512 Zero
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => new(Vector512<int>.Zero);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static RowLanes512 Broadcast(int bits) => new(Vector512.Create(bits));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static RowLanes512 Broadcast(float value) => new(Vector512.Create(value).AsInt32());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static RowLanes512 BroadcastByte(byte value) => new(Vector512.Create(value).AsInt32());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static RowLanes512 Load(void* source) => new(Vector512.Load((int*)source));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(RowLanes512 lanes, float* destination) => lanes._bits.AsSingle().Store(destination);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static RowLanes512 LoadHalf(ushort* source)
    {
        Vector512<int> half = Avx512F.ConvertToVector512Int32(Vector256.Load((short*)source));
        return new(Vector512.EqualsAny(half & Vector512.Create(HalfExponent), Vector512<int>.Zero) ? AnyHalf(half) : NormalHalf(half));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static RowLanes512 LoadScales(ushort* source) => new(NormalHalf(Avx512F.ConvertToVector512Int32(Vector256.Load((short*)source))));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static RowLanes512 LoadBFloat16(ushort* source) => new(Avx512F.ConvertToVector512Int32(Vector256.Load((short*)source)) << 16);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static RowLanes512 LoadBytes(byte* source) => new(Avx512F.ConvertToVector512Int32(Vector128.Load(source)));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static RowLanes512 LoadSBytes(sbyte* source) => new(Avx512F.ConvertToVector512Int32(Vector128.Load(source)));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static RowLanes512 LoadSBytePairs(sbyte* source) => new(Avx512BW.ConvertToVector512Int16(Vector256.Load(source)).AsInt32());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static RowLanes512 And(RowLanes512 a, RowLanes512 b) => new(a._bits & b._bits);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static RowLanes512 Or(RowLanes512 a, RowLanes512 b) => new(a._bits | b._bits);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static RowLanes512 ShiftLeft16(RowLanes512 a, [ConstantExpected] byte count) => new((a._bits.AsUInt16() << count).AsInt32());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static RowLanes512 ShiftRight16(RowLanes512 a, [ConstantExpected] byte count) => new((a._bits.AsUInt16() >> count).AsInt32());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static RowLanes512 ShiftLeft32(RowLanes512 a, [ConstantExpected] byte count) => new(a._bits << count);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static RowLanes512 AddBytes(RowLanes512 sum, RowLanes512 weights, RowLanes512 activations) =>
        new((sum._bits.AsInt16() + Avx512BW.MultiplyAddAdjacent(weights._bits.AsByte(), activations._bits.AsSByte())).AsInt32());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static RowLanes512 EndBytes(RowLanes512 sum) => new(Avx512BW.MultiplyAddAdjacent(sum._bits.AsInt16(), Vector512.Create((short)1)));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static RowLanes512 EndBytes(RowLanes512 sum, RowLanes512 scales) => new(Avx512BW.MultiplyAddAdjacent(sum._bits.AsInt16(), scales._bits.AsInt16()));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static RowLanes512 PrepareScales(RowLanes512 integers) => new((integers._bits & Vector512.Create(0xFFFF)) | (integers._bits << 16));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static RowLanes512 MultiplyPairs(RowLanes512 a, RowLanes512 b) => new(Avx512BW.MultiplyAddAdjacent(a._bits.AsInt16(), b._bits.AsInt16()));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static RowLanes512 AddIntegers(RowLanes512 a, RowLanes512 b) => new(a._bits + b._bits);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static RowLanes512 SubtractIntegers(RowLanes512 a, RowLanes512 b) => new(a._bits - b._bits);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static RowLanes512 ToFloat(RowLanes512 integers) => new(Vector512.ConvertToSingle(integers._bits).AsInt32());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static RowLanes512 Multiply(RowLanes512 a, RowLanes512 b) => new((a._bits.AsSingle() * b._bits.AsSingle()).AsInt32());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static RowLanes512 FusedMultiplyAdd(RowLanes512 a, RowLanes512 b, RowLanes512 c) =>
        new(Vector512.FusedMultiplyAdd(a._bits.AsSingle(), b._bits.AsSingle(), c._bits.AsSingle()).AsInt32());

    // Widening with the sign leaves it in the top bit after the shift; multiplying by 2^112 corrects the exponent's bias exactly.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<int> NormalHalf(Vector512<int> half) =>
        (((half << 13) & Vector512.Create(HalfMoved)).AsSingle() * Vector512.Create(HalfBias)).AsInt32();

    // A subnormal one, whose value is its fraction times 2^-24, must not become a subnormal float on the way.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<int> AnyHalf(Vector512<int> half)
    {
        Vector512<int> small = Vector512.Equals(half & Vector512.Create(HalfExponent), Vector512<int>.Zero);
        Vector512<float> fraction = Vector512.ConvertToSingle(half & Vector512.Create(HalfFraction)) * Vector512.Create(HalfUnit);
        return Vector512.ConditionalSelect(small, fraction.AsInt32() | (half & Vector512.Create(int.MinValue)), NormalHalf(Vector512.AndNot(half, small)));
    }
}
