using System.Runtime.Intrinsics;

namespace KwaaiNet.CandelEngine.Compute.Cpu.Lanes;

/// <summary>
/// 32 float32 lanes in as many registers as a vector width needs. Every width computes the same bits: kernels are written once
/// over lanes, and where a result is a sum, lane j takes elements j, j + 32, j + 64, … and the lanes fold in halves at the end.
/// </summary>
/// <remarks>32 is a quantised block, and enough independent sums to hide the latency of a fused multiply-add.</remarks>
internal unsafe interface ILanes<TSelf> where TSelf : struct, ILanes<TSelf>
{
    /// <summary>Lanes.</summary>
    const int Count = 32;

    /// <summary>Activation rows that share a decoded weight, as many as the registers hold.</summary>
    static abstract int TileRows { get; }

    static abstract TSelf Broadcast(float value);

    /// <summary>The first 16 lanes are <paramref name="low"/>, the others <paramref name="high"/>.</summary>
    static abstract TSelf Broadcast(float low, float high);

    /// <summary>Loads 32 float32; no alignment needed.</summary>
    static abstract TSelf Load(float* source);

    static abstract void Store(TSelf lanes, float* destination);

    /// <summary>Loads 32 binary16.</summary>
    static abstract TSelf LoadHalf(ushort* source);

    /// <summary>Loads 32 bfloat16.</summary>
    static abstract TSelf LoadBrain(ushort* source);

    /// <summary>Widens 32 signed bytes.</summary>
    static abstract TSelf FromSBytes(Vector128<sbyte> low, Vector128<sbyte> high);

    /// <summary>Loads 32 signed bytes.</summary>
    static abstract TSelf LoadSBytes(sbyte* source);

    /// <summary>Loads 32 nibbles from 16 bytes, low nibbles first, each less 8.</summary>
    static abstract TSelf LoadNibbles(byte* source);

    static abstract TSelf Add(TSelf a, TSelf b);

    static abstract TSelf Subtract(TSelf a, TSelf b);

    static abstract TSelf Multiply(TSelf a, TSelf b);

    static abstract TSelf Divide(TSelf a, TSelf b);

    /// <summary><c>a · b + c</c>, rounded once.</summary>
    static abstract TSelf FusedMultiplyAdd(TSelf a, TSelf b, TSelf c);

    static abstract TSelf Min(TSelf a, TSelf b);

    static abstract TSelf Max(TSelf a, TSelf b);

    /// <summary>Zero where <paramref name="a"/> is below <paramref name="limit"/>, <paramref name="value"/> elsewhere.</summary>
    static abstract TSelf ZeroBelow(TSelf a, TSelf limit, TSelf value);

    /// <summary>The float32 whose bits are <c>(bits(a) &lt;&lt; 23) + bits(1)</c>: the last step of <see cref="Exponential"/>.</summary>
    static abstract TSelf PowerOfTwo(TSelf a);

    /// <summary>Sum of the lanes: lanes 16 apart first, then 8, 4, 2, 1.</summary>
    static abstract float Sum(TSelf lanes);

    static abstract float Maximum(TSelf lanes);
}
