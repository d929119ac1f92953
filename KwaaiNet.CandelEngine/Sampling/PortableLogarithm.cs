namespace KwaaiNet.CandelEngine.Sampling;

/// <summary>The natural logarithm from additions, multiplications and divisions alone.</summary>
/// <remarks>Math.Log is the C library's and differs in its last bit from system to system, as <see cref="PortableExponential"/> says of e^x.</remarks>
internal static class PortableLogarithm
{
    private const double Ln2High = 0.693147180369123816490;
    private const double Ln2Low = 1.90821492927058770002e-10;
    private const double SquareRootOf2 = 1.4142135623730951;

    /// <summary>ln x for a normal positive x; −∞ for 0.</summary>
    public static double Log(double x)
    {
        if (x == 0)
            return double.NegativeInfinity;
        // x = 2^k m with m from 1/√2 to √2; ln m = 2 artanh s with f = m − 1, s = f / (2 + f), |s| <= 0.172.
        long bits = BitConverter.DoubleToInt64Bits(x);
        int k = (int)((bits >> 52) & 0x7FF) - 1023;
        double m = BitConverter.Int64BitsToDouble((bits & 0x000F_FFFF_FFFF_FFFF) | 0x3FF0_0000_0000_0000);
        if (m > SquareRootOf2)
        {
            m /= 2;
            k++;
        }

        double f = m - 1;
        double s = f / (2 + f);
        double square = s * s;
        // Taylor's series to s^23 leaves less than one unit in the last place.
        double rest = 0;
        for (int i = 23; i >= 3; i -= 2)
            rest = (rest + (2.0 / i)) * square;
        // ln m = 2s + s rest, and 2s = f - s f: written with f, which is exact, as the large term.
        return (k * Ln2High) - ((s * (f - rest)) - (k * Ln2Low) - f);
    }
}
