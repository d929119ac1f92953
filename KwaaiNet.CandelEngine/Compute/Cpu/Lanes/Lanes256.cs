using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace KwaaiNet.CandelEngine.Compute.Cpu.Lanes;

/// <summary>32 lanes in four registers of 256 bits.</summary>
internal readonly unsafe struct Lanes256 : ILanes<Lanes256>
{
    private readonly Vector256<float> _a;
    private readonly Vector256<float> _b;
    private readonly Vector256<float> _c;
    private readonly Vector256<float> _d;

    private Lanes256(Vector256<float> a, Vector256<float> b, Vector256<float> c, Vector256<float> d)
    {
        _a = a;
        _b = b;
        _c = c;
        _d = d;
    }

    public static int TileRows => 2;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes256 Broadcast(float value) => new(
        Vector256.Create(value),
        Vector256.Create(value),
        Vector256.Create(value),
        Vector256.Create(value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes256 Broadcast(float low, float high) => new(
        Vector256.Create(low),
        Vector256.Create(low),
        Vector256.Create(high),
        Vector256.Create(high));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes256 Load(float* source) => new(
        Vector256.Load(source),
        Vector256.Load(source + 8),
        Vector256.Load(source + 16),
        Vector256.Load(source + 24));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(Lanes256 lanes, float* destination)
    {
        lanes._a.Store(destination);
        lanes._b.Store(destination + 8);
        lanes._c.Store(destination + 16);
        lanes._d.Store(destination + 24);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes256 LoadHalf(ushort* source) =>
        new(Halves(source), Halves(source + 8), Halves(source + 16), Halves(source + 24));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes256 LoadBrain(ushort* source) =>
        new(Brains(source), Brains(source + 8), Brains(source + 16), Brains(source + 24));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes256 FromSBytes(Vector128<sbyte> low, Vector128<sbyte> high) =>
        new(Widen(low), Widen(Upper(low)), Widen(high), Widen(Upper(high)));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes256 LoadSBytes(sbyte* source) =>
        new(SBytes(source), SBytes(source + 8), SBytes(source + 16), SBytes(source + 24));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes256 LoadNibbles(byte* source) =>
        new(LowNibbles(source), LowNibbles(source + 8), HighNibbles(source), HighNibbles(source + 8));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes256 Add(Lanes256 a, Lanes256 b) => new(a._a + b._a, a._b + b._b, a._c + b._c, a._d + b._d);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes256 Subtract(Lanes256 a, Lanes256 b) => new(a._a - b._a, a._b - b._b, a._c - b._c, a._d - b._d);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes256 Multiply(Lanes256 a, Lanes256 b) => new(a._a * b._a, a._b * b._b, a._c * b._c, a._d * b._d);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes256 Divide(Lanes256 a, Lanes256 b) => new(a._a / b._a, a._b / b._b, a._c / b._c, a._d / b._d);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes256 FusedMultiplyAdd(Lanes256 a, Lanes256 b, Lanes256 c) => new(
        Vector256.FusedMultiplyAdd(a._a, b._a, c._a),
        Vector256.FusedMultiplyAdd(a._b, b._b, c._b),
        Vector256.FusedMultiplyAdd(a._c, b._c, c._c),
        Vector256.FusedMultiplyAdd(a._d, b._d, c._d));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes256 Min(Lanes256 a, Lanes256 b) => new(
        Vector256.Min(a._a, b._a),
        Vector256.Min(a._b, b._b),
        Vector256.Min(a._c, b._c),
        Vector256.Min(a._d, b._d));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes256 Max(Lanes256 a, Lanes256 b) => new(
        Vector256.Max(a._a, b._a),
        Vector256.Max(a._b, b._b),
        Vector256.Max(a._c, b._c),
        Vector256.Max(a._d, b._d));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes256 ZeroBelow(Lanes256 a, Lanes256 limit, Lanes256 value) => new(
        Vector256.AndNot(value._a, Vector256.LessThan(a._a, limit._a)),
        Vector256.AndNot(value._b, Vector256.LessThan(a._b, limit._b)),
        Vector256.AndNot(value._c, Vector256.LessThan(a._c, limit._c)),
        Vector256.AndNot(value._d, Vector256.LessThan(a._d, limit._d)));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes256 PowerOfTwo(Lanes256 a) => new(Power(a._a), Power(a._b), Power(a._c), Power(a._d));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Sum(Lanes256 lanes)
    {
        Vector256<float> sum = (lanes._a + lanes._c) + (lanes._b + lanes._d);
        Vector128<float> four = sum.GetLower() + sum.GetUpper();
        return (four[0] + four[2]) + (four[1] + four[3]);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Maximum(Lanes256 lanes)
    {
        Vector256<float> most = Vector256.Max(Vector256.Max(lanes._a, lanes._b), Vector256.Max(lanes._c, lanes._d));
        Vector128<float> four = Vector128.Max(most.GetLower(), most.GetUpper());
        return MathF.Max(MathF.Max(four[0], four[1]), MathF.Max(four[2], four[3]));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<float> Halves(ushort* source)
    {
        if (Avx2.IsSupported) return HalfBits.ToSingle(Avx2.ConvertToVector256Int32((short*)source));

        (Vector128<int> low, Vector128<int> high) = Vector128.Widen(Vector128.Load((short*)source));
        return HalfBits.ToSingle(Vector256.Create(low, high));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<float> Brains(ushort* source)
    {
        (Vector128<uint> low, Vector128<uint> high) = Vector128.Widen(Vector128.Load(source));
        return (Vector256.Create(low, high) << 16).AsSingle();
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<float> SBytes(sbyte* source) => Widen(Eight((byte*)source).AsSByte());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<float> LowNibbles(byte* source) => Widen((Eight(source) & Vector128.Create((byte)0x0F)).AsSByte() - Vector128.Create((sbyte)8));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<float> HighNibbles(byte* source) => Widen((Eight(source) >>> 4).AsSByte() - Vector128.Create((sbyte)8));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<byte> Eight(byte* source) => Vector128.CreateScalarUnsafe(Unsafe.ReadUnaligned<ulong>(source)).AsByte();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<sbyte> Upper(Vector128<sbyte> bytes) => Vector128.CreateScalarUnsafe(bytes.AsUInt64()[1]).AsSByte();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<float> Widen(Vector128<sbyte> bytes)
    {
        if (Avx2.IsSupported) return Vector256.ConvertToSingle(Avx2.ConvertToVector256Int32(bytes));

        (Vector128<int> low, Vector128<int> high) = Vector128.Widen(Vector128.WidenLower(bytes));
        return Vector256.ConvertToSingle(Vector256.Create(low, high));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<float> Power(Vector256<float> a) => ((a.AsInt32() << 23) + Vector256.Create(Exponential.OneBits)).AsSingle();
}
