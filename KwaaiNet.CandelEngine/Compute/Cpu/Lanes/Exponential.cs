using System.Runtime.CompilerServices;

namespace KwaaiNet.CandelEngine.Compute.Cpu.Lanes;

/// <summary>e^x in float32 by the same multiplications and additions in every vector width, within 2 units in the last place.</summary>
/// <remarks>
/// x = n·ln 2 + r with |r| ≤ ln 2 / 2, e^x = 2^n · e^r, e^r by a polynomial of degree 7. Coefficients: Cephes, expf.
/// n is found by adding 1.5·2^23, which leaves it, rounded to nearest even, in the low bits.
/// Below −87.3 the result is 0, above 88 it is e^88.
/// </remarks>
internal static class Exponential
{
    internal const int OneBits = 0x3F800000;
    internal const float Lowest = -87.3f;
    internal const float Highest = 88f;
    internal const float Log2E = 1.44269504f;
    internal const float Shift = 12582912f;
    internal const float Ln2High = 0.693359375f;
    internal const float Ln2Low = -2.12194440e-4f;
    internal const float C7 = 1.9875691500e-4f;
    internal const float C6 = 1.3981999507e-3f;
    internal const float C5 = 8.3334519073e-3f;
    internal const float C4 = 4.1665795894e-2f;
    internal const float C3 = 1.6666665459e-1f;
    internal const float C2 = 5.0000001201e-1f;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static TLanes Of<TLanes>(TLanes x) where TLanes : struct, ILanes<TLanes>
    {
        TLanes lowest = TLanes.Broadcast(Lowest);
        TLanes clamped = TLanes.Min(TLanes.Max(x, lowest), TLanes.Broadcast(Highest));
        TLanes shifted = TLanes.Add(TLanes.Multiply(clamped, TLanes.Broadcast(Log2E)), TLanes.Broadcast(Shift));
        TLanes n = TLanes.Subtract(shifted, TLanes.Broadcast(Shift));
        TLanes r = TLanes.Subtract(clamped, TLanes.Multiply(n, TLanes.Broadcast(Ln2High)));
        r = TLanes.Subtract(r, TLanes.Multiply(n, TLanes.Broadcast(Ln2Low)));

        TLanes p = TLanes.Broadcast(C7);
        p = TLanes.Add(TLanes.Multiply(p, r), TLanes.Broadcast(C6));
        p = TLanes.Add(TLanes.Multiply(p, r), TLanes.Broadcast(C5));
        p = TLanes.Add(TLanes.Multiply(p, r), TLanes.Broadcast(C4));
        p = TLanes.Add(TLanes.Multiply(p, r), TLanes.Broadcast(C3));
        p = TLanes.Add(TLanes.Multiply(p, r), TLanes.Broadcast(C2));
        p = TLanes.Add(TLanes.Add(TLanes.Multiply(p, TLanes.Multiply(r, r)), r), TLanes.Broadcast(1f));
        return TLanes.ZeroBelow(x, lowest, TLanes.Multiply(p, TLanes.PowerOfTwo(shifted)));
    }

    /// <summary>The scalar twin.</summary>
    internal static float Of(float x)
    {
        if (x < Lowest) return 0;

        float clamped = MathF.Min(x, Highest);
        float shifted = (clamped * Log2E) + Shift;
        float n = shifted - Shift;
        float r = clamped - (n * Ln2High) - (n * Ln2Low);
        float p = (((((((((C7 * r) + C6) * r) + C5) * r) + C4) * r) + C3) * r) + C2;
        p = (p * (r * r)) + r + 1f;
        return p * BitConverter.Int32BitsToSingle((BitConverter.SingleToInt32Bits(shifted) << 23) + OneBits);
    }
}
