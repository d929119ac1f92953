using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace KwaaiNet.CandelEngine.Compute.Cpu.Lanes;

/// <summary>32 lanes in two registers of 512 bits.</summary>
internal readonly unsafe struct Lanes512 : ILanes<Lanes512>
{
    private readonly Vector512<float> _a;
    private readonly Vector512<float> _b;

    private Lanes512(Vector512<float> a, Vector512<float> b)
    {
        _a = a;
        _b = b;
    }

    public static int TileRows => 4;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes512 Broadcast(float value) => new(Vector512.Create(value), Vector512.Create(value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes512 Broadcast(float low, float high) => new(Vector512.Create(low), Vector512.Create(high));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes512 Load(float* source) => new(Vector512.Load(source), Vector512.Load(source + 16));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(Lanes512 lanes, float* destination)
    {
        lanes._a.Store(destination);
        lanes._b.Store(destination + 16);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes512 LoadHalf(ushort* source) => new(Halves(source), Halves(source + 16));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes512 LoadBrain(ushort* source) => new(Brains(source), Brains(source + 16));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes512 FromSBytes(Vector128<sbyte> low, Vector128<sbyte> high) => new(Widen(low), Widen(high));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes512 LoadSBytes(sbyte* source) => new(SBytes(source), SBytes(source + 16));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes512 LoadNibbles(byte* source) => new(LowNibbles(source), HighNibbles(source));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes512 Add(Lanes512 a, Lanes512 b) => new(a._a + b._a, a._b + b._b);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes512 Subtract(Lanes512 a, Lanes512 b) => new(a._a - b._a, a._b - b._b);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes512 Multiply(Lanes512 a, Lanes512 b) => new(a._a * b._a, a._b * b._b);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes512 Divide(Lanes512 a, Lanes512 b) => new(a._a / b._a, a._b / b._b);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes512 FusedMultiplyAdd(Lanes512 a, Lanes512 b, Lanes512 c) =>
        new(Vector512.FusedMultiplyAdd(a._a, b._a, c._a), Vector512.FusedMultiplyAdd(a._b, b._b, c._b));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes512 Min(Lanes512 a, Lanes512 b) => new(Vector512.Min(a._a, b._a), Vector512.Min(a._b, b._b));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes512 Max(Lanes512 a, Lanes512 b) => new(Vector512.Max(a._a, b._a), Vector512.Max(a._b, b._b));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes512 ZeroBelow(Lanes512 a, Lanes512 limit, Lanes512 value) => new(
        Vector512.AndNot(value._a, Vector512.LessThan(a._a, limit._a)),
        Vector512.AndNot(value._b, Vector512.LessThan(a._b, limit._b)));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes512 PowerOfTwo(Lanes512 a) => new(Power(a._a), Power(a._b));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Sum(Lanes512 lanes)
    {
        Vector512<float> sum = lanes._a + lanes._b;
        Vector256<float> eight = sum.GetLower() + sum.GetUpper();
        Vector128<float> four = eight.GetLower() + eight.GetUpper();
        return (four[0] + four[2]) + (four[1] + four[3]);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Maximum(Lanes512 lanes)
    {
        Vector512<float> most = Vector512.Max(lanes._a, lanes._b);
        Vector256<float> eight = Vector256.Max(most.GetLower(), most.GetUpper());
        Vector128<float> four = Vector128.Max(eight.GetLower(), eight.GetUpper());
        return MathF.Max(MathF.Max(four[0], four[1]), MathF.Max(four[2], four[3]));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<float> Halves(ushort* source)
    {
        if (Avx512F.IsSupported) return HalfBits.ToSingle(Avx512F.ConvertToVector512Int32(Vector256.Load((short*)source)));

        (Vector256<int> low, Vector256<int> high) = Vector256.Widen(Vector256.Load((short*)source));
        return HalfBits.ToSingle(Vector512.Create(low, high));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<float> Brains(ushort* source)
    {
        (Vector256<uint> low, Vector256<uint> high) = Vector256.Widen(Vector256.Load(source));
        return (Vector512.Create(low, high) << 16).AsSingle();
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<float> SBytes(sbyte* source) => Widen(Vector128.Load(source));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<float> LowNibbles(byte* source) => Widen((Vector128.Load(source) & Vector128.Create((byte)0x0F)).AsSByte() - Vector128.Create((sbyte)8));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<float> HighNibbles(byte* source) => Widen((Vector128.Load(source) >>> 4).AsSByte() - Vector128.Create((sbyte)8));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<float> Widen(Vector128<sbyte> bytes)
    {
        if (Avx512F.IsSupported) return Vector512.ConvertToSingle(Avx512F.ConvertToVector512Int32(bytes));

        (Vector128<short> low, Vector128<short> high) = Vector128.Widen(bytes);
        return Vector512.ConvertToSingle(Vector512.Create(Quads(low), Quads(high)));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<int> Quads(Vector128<short> values)
    {
        (Vector128<int> low, Vector128<int> high) = Vector128.Widen(values);
        return Vector256.Create(low, high);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<float> Power(Vector512<float> a) => ((a.AsInt32() << 23) + Vector512.Create(Exponential.OneBits)).AsSingle();
}
