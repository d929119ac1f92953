using System.Numerics;

namespace KwaaiNet.CandelEngine.Sampling;

/// <summary>e^x from additions and multiplications alone.</summary>
/// <remarks>
/// Math.Exp is the C library's and differs in its last bit from system to system; a draw that replays on another node must not.
/// The runtime rounds every addition and multiplication as IEEE 754 says and never fuses two of them, so this is the same everywhere.
/// </remarks>
internal static class PortableExponential
{
    // ln 2 in two parts: the first has few enough bits that its product with a whole exponent is exact.
    private const double Ln2High = 0.693147180369123816490;
    private const double Ln2Low = 1.90821492927058770002e-10;
    private const double InverseLn2 = 1.44269504088896338700;

    // Weights below e^-700 do not matter.
    private const double Least = -700;

    // Added to a whole number below 2^51 it leaves that number in the lowest bits.
    private const double WholeToBits = 6755399441055744;

    /// <summary>e^x for x from −∞ to 0; 0 below −700, where weights do not matter.</summary>
    public static double Exp(double x)
    {
        if (x < Least)
            return 0;
        // x = k ln 2 + r with |r| <= ln 2 / 2; Taylor's series to r^13 leaves less than one unit in the last place.
        double k = Math.Floor((x * InverseLn2) + 0.5);
        double r = x - (k * Ln2High) - (k * Ln2Low);
        double sum = 1.0 / 6227020800;
        sum = (sum * r) + (1.0 / 479001600);
        sum = (sum * r) + (1.0 / 39916800);
        sum = (sum * r) + (1.0 / 3628800);
        sum = (sum * r) + (1.0 / 362880);
        sum = (sum * r) + (1.0 / 40320);
        sum = (sum * r) + (1.0 / 5040);
        sum = (sum * r) + (1.0 / 720);
        sum = (sum * r) + (1.0 / 120);
        sum = (sum * r) + (1.0 / 24);
        sum = (sum * r) + (1.0 / 6);
        sum = (sum * r) + (1.0 / 2);
        sum = (sum * r) + 1;
        sum = (sum * r) + 1;
        return sum * BitConverter.Int64BitsToDouble(((long)k + 1023) << 52);
    }

    /// <summary>Replaces each x, from −∞ to 0, by e^x: the bits that <see cref="Exp(double)"/> gives, several at a time.</summary>
    public static void Exp(Span<double> values)
    {
        int i = 0;
        for (; i <= values.Length - Vector<double>.Count; i += Vector<double>.Count)
            Exp(new Vector<double>(values[i..])).CopyTo(values[i..]);
        for (; i < values.Length; i++)
            values[i] = Exp(values[i]);
    }

    // The same operations in the same order as for one number.
    private static Vector<double> Exp(Vector<double> x)
    {
        Vector<double> k = Vector.Floor((x * InverseLn2) + new Vector<double>(0.5));
        Vector<double> r = x - (k * Ln2High) - (k * Ln2Low);
        Vector<double> sum = new(1.0 / 6227020800);
        sum = (sum * r) + new Vector<double>(1.0 / 479001600);
        sum = (sum * r) + new Vector<double>(1.0 / 39916800);
        sum = (sum * r) + new Vector<double>(1.0 / 3628800);
        sum = (sum * r) + new Vector<double>(1.0 / 362880);
        sum = (sum * r) + new Vector<double>(1.0 / 40320);
        sum = (sum * r) + new Vector<double>(1.0 / 5040);
        sum = (sum * r) + new Vector<double>(1.0 / 720);
        sum = (sum * r) + new Vector<double>(1.0 / 120);
        sum = (sum * r) + new Vector<double>(1.0 / 24);
        sum = (sum * r) + new Vector<double>(1.0 / 6);
        sum = (sum * r) + new Vector<double>(1.0 / 2);
        sum = (sum * r) + Vector<double>.One;
        sum = (sum * r) + Vector<double>.One;
        Vector<long> exponent = Vector.AsVectorInt64(k + new Vector<double>(WholeToBits)) + new Vector<long>(1023);
        Vector<double> power = Vector.AsVectorDouble(Vector.ShiftLeft(exponent, 52));
        return Vector.ConditionalSelect(Vector.LessThan(x, new Vector<double>(Least)), Vector<double>.Zero, sum * power);
    }
}
