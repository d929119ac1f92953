using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace KwaaiNet.CandelEngine.Compute.Cpu.Lanes;

/// <summary>32 lanes in eight registers of 128 bits.</summary>
internal readonly unsafe struct Lanes128 : ILanes<Lanes128>
{
    private readonly Vector128<float> _a;
    private readonly Vector128<float> _b;
    private readonly Vector128<float> _c;
    private readonly Vector128<float> _d;
    private readonly Vector128<float> _e;
    private readonly Vector128<float> _f;
    private readonly Vector128<float> _g;
    private readonly Vector128<float> _h;

    private Lanes128(Vector128<float> a, Vector128<float> b, Vector128<float> c, Vector128<float> d, Vector128<float> e, Vector128<float> f, Vector128<float> g, Vector128<float> h)
    {
        _a = a;
        _b = b;
        _c = c;
        _d = d;
        _e = e;
        _f = f;
        _g = g;
        _h = h;
    }

    public static int TileRows => 2;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes128 Broadcast(float value) => new(
        Vector128.Create(value),
        Vector128.Create(value),
        Vector128.Create(value),
        Vector128.Create(value),
        Vector128.Create(value),
        Vector128.Create(value),
        Vector128.Create(value),
        Vector128.Create(value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes128 Broadcast(float low, float high) => new(
        Vector128.Create(low),
        Vector128.Create(low),
        Vector128.Create(low),
        Vector128.Create(low),
        Vector128.Create(high),
        Vector128.Create(high),
        Vector128.Create(high),
        Vector128.Create(high));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes128 Load(float* source) => new(
        Vector128.Load(source),
        Vector128.Load(source + 4),
        Vector128.Load(source + 8),
        Vector128.Load(source + 12),
        Vector128.Load(source + 16),
        Vector128.Load(source + 20),
        Vector128.Load(source + 24),
        Vector128.Load(source + 28));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(Lanes128 lanes, float* destination)
    {
        lanes._a.Store(destination);
        lanes._b.Store(destination + 4);
        lanes._c.Store(destination + 8);
        lanes._d.Store(destination + 12);
        lanes._e.Store(destination + 16);
        lanes._f.Store(destination + 20);
        lanes._g.Store(destination + 24);
        lanes._h.Store(destination + 28);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes128 LoadHalf(ushort* source) => new(
        Halves(source),
        Halves(source + 4),
        Halves(source + 8),
        Halves(source + 12),
        Halves(source + 16),
        Halves(source + 20),
        Halves(source + 24),
        Halves(source + 28));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes128 LoadBrain(ushort* source) => new(
        Brains(source),
        Brains(source + 4),
        Brains(source + 8),
        Brains(source + 12),
        Brains(source + 16),
        Brains(source + 20),
        Brains(source + 24),
        Brains(source + 28));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes128 FromSBytes(Vector128<sbyte> low, Vector128<sbyte> high)
    {
        (Vector128<short> a, Vector128<short> b) = Vector128.Widen(low);
        (Vector128<short> c, Vector128<short> d) = Vector128.Widen(high);
        return new(
            Widen(Vector128.WidenLower(a)),
            Widen(Vector128.WidenUpper(a)),
            Widen(Vector128.WidenLower(b)),
            Widen(Vector128.WidenUpper(b)),
            Widen(Vector128.WidenLower(c)),
            Widen(Vector128.WidenUpper(c)),
            Widen(Vector128.WidenLower(d)),
            Widen(Vector128.WidenUpper(d)));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes128 LoadSBytes(sbyte* source) => new(
        SBytes(source),
        SBytes(source + 4),
        SBytes(source + 8),
        SBytes(source + 12),
        SBytes(source + 16),
        SBytes(source + 20),
        SBytes(source + 24),
        SBytes(source + 28));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes128 LoadNibbles(byte* source) => new(
        LowNibbles(source),
        LowNibbles(source + 4),
        LowNibbles(source + 8),
        LowNibbles(source + 12),
        HighNibbles(source),
        HighNibbles(source + 4),
        HighNibbles(source + 8),
        HighNibbles(source + 12));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes128 Add(Lanes128 a, Lanes128 b) => new(
        a._a + b._a,
        a._b + b._b,
        a._c + b._c,
        a._d + b._d,
        a._e + b._e,
        a._f + b._f,
        a._g + b._g,
        a._h + b._h);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes128 Subtract(Lanes128 a, Lanes128 b) => new(
        a._a - b._a,
        a._b - b._b,
        a._c - b._c,
        a._d - b._d,
        a._e - b._e,
        a._f - b._f,
        a._g - b._g,
        a._h - b._h);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes128 Multiply(Lanes128 a, Lanes128 b) => new(
        a._a * b._a,
        a._b * b._b,
        a._c * b._c,
        a._d * b._d,
        a._e * b._e,
        a._f * b._f,
        a._g * b._g,
        a._h * b._h);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes128 Divide(Lanes128 a, Lanes128 b) => new(
        a._a / b._a,
        a._b / b._b,
        a._c / b._c,
        a._d / b._d,
        a._e / b._e,
        a._f / b._f,
        a._g / b._g,
        a._h / b._h);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes128 FusedMultiplyAdd(Lanes128 a, Lanes128 b, Lanes128 c) => new(
        Vector128.FusedMultiplyAdd(a._a, b._a, c._a),
        Vector128.FusedMultiplyAdd(a._b, b._b, c._b),
        Vector128.FusedMultiplyAdd(a._c, b._c, c._c),
        Vector128.FusedMultiplyAdd(a._d, b._d, c._d),
        Vector128.FusedMultiplyAdd(a._e, b._e, c._e),
        Vector128.FusedMultiplyAdd(a._f, b._f, c._f),
        Vector128.FusedMultiplyAdd(a._g, b._g, c._g),
        Vector128.FusedMultiplyAdd(a._h, b._h, c._h));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes128 Min(Lanes128 a, Lanes128 b) => new(
        Vector128.Min(a._a, b._a),
        Vector128.Min(a._b, b._b),
        Vector128.Min(a._c, b._c),
        Vector128.Min(a._d, b._d),
        Vector128.Min(a._e, b._e),
        Vector128.Min(a._f, b._f),
        Vector128.Min(a._g, b._g),
        Vector128.Min(a._h, b._h));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes128 Max(Lanes128 a, Lanes128 b) => new(
        Vector128.Max(a._a, b._a),
        Vector128.Max(a._b, b._b),
        Vector128.Max(a._c, b._c),
        Vector128.Max(a._d, b._d),
        Vector128.Max(a._e, b._e),
        Vector128.Max(a._f, b._f),
        Vector128.Max(a._g, b._g),
        Vector128.Max(a._h, b._h));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes128 ZeroBelow(Lanes128 a, Lanes128 limit, Lanes128 value) => new(
        Vector128.AndNot(value._a, Vector128.LessThan(a._a, limit._a)),
        Vector128.AndNot(value._b, Vector128.LessThan(a._b, limit._b)),
        Vector128.AndNot(value._c, Vector128.LessThan(a._c, limit._c)),
        Vector128.AndNot(value._d, Vector128.LessThan(a._d, limit._d)),
        Vector128.AndNot(value._e, Vector128.LessThan(a._e, limit._e)),
        Vector128.AndNot(value._f, Vector128.LessThan(a._f, limit._f)),
        Vector128.AndNot(value._g, Vector128.LessThan(a._g, limit._g)),
        Vector128.AndNot(value._h, Vector128.LessThan(a._h, limit._h)));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes128 PowerOfTwo(Lanes128 a) => new(
        Power(a._a),
        Power(a._b),
        Power(a._c),
        Power(a._d),
        Power(a._e),
        Power(a._f),
        Power(a._g),
        Power(a._h));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Sum(Lanes128 lanes)
    {
        Vector128<float> four = ((lanes._a + lanes._e) + (lanes._c + lanes._g)) + ((lanes._b + lanes._f) + (lanes._d + lanes._h));
        return (four[0] + four[2]) + (four[1] + four[3]);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Maximum(Lanes128 lanes)
    {
        Vector128<float> low = Vector128.Max(Vector128.Max(lanes._a, lanes._b), Vector128.Max(lanes._c, lanes._d));
        Vector128<float> high = Vector128.Max(Vector128.Max(lanes._e, lanes._f), Vector128.Max(lanes._g, lanes._h));
        Vector128<float> four = Vector128.Max(low, high);
        return MathF.Max(MathF.Max(four[0], four[1]), MathF.Max(four[2], four[3]));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<float> Halves(ushort* source) =>
        HalfBits.ToSingle(Vector128.WidenLower(Vector128.CreateScalarUnsafe(Unsafe.ReadUnaligned<ulong>(source)).AsInt16()));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<float> Brains(ushort* source) =>
        (Vector128.WidenLower(Vector128.CreateScalarUnsafe(Unsafe.ReadUnaligned<ulong>(source)).AsUInt16()) << 16).AsSingle();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<float> SBytes(sbyte* source) => Widen(Four((byte*)source).AsSByte());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<float> LowNibbles(byte* source) => Widen((Four(source) & Vector128.Create((byte)0x0F)).AsSByte() - Vector128.Create((sbyte)8));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<float> HighNibbles(byte* source) => Widen((Four(source) >>> 4).AsSByte() - Vector128.Create((sbyte)8));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<byte> Four(byte* source) => Vector128.CreateScalarUnsafe(Unsafe.ReadUnaligned<uint>(source)).AsByte();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<float> Widen(Vector128<int> values) => Vector128.ConvertToSingle(values);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<float> Widen(Vector128<sbyte> bytes) =>
        Vector128.ConvertToSingle(Vector128.WidenLower(Vector128.WidenLower(bytes)));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<float> Power(Vector128<float> a) => ((a.AsInt32() << 23) + Vector128.Create(Exponential.OneBits)).AsSingle();
}
