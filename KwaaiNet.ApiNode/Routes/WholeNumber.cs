namespace KwaaiNet.ApiNode.Routes;

/// <summary>Reads JSON numbers that are whole, however they are written: <c>4</c>, <c>4.0</c>, <c>1e3</c>.</summary>
/// <remarks>
/// <code>
/// -12.50e+3    sign, digits "1250" (the point is two places in), exponent 3: 1250 * 10^(3 - 2) = 12500
/// </code>
/// Exact to the last of 64 bits, which a double is not, and in one pass, however long the exponent is.
/// </remarks>
internal static class WholeNumber
{
    // Digits of the largest number of 64 bits.
    private const int MaxDigits = 19;

    // Beyond any exponent that a body's digits could bring back into 64 bits.
    private const long MaxExponent = 1L << 40;

    /// <summary>Reads a number of valid JSON; false when it has a fraction or needs more than 64 bits.</summary>
    public static bool TryRead(ReadOnlySpan<char> json, out long number)
    {
        number = 0;
        bool negative = json.StartsWith("-");
        ReadOnlySpan<char> rest = negative ? json[1..] : json;
        int mark = rest.IndexOfAny('e', 'E');
        long exponent = mark < 0 ? 0 : Exponent(rest[(mark + 1)..]);
        ReadOnlySpan<char> digits = mark < 0 ? rest : rest[..mark];
        int point = digits.IndexOf('.');
        ReadOnlySpan<char> fraction = point < 0 ? default : digits[(point + 1)..].TrimEnd('0');
        ReadOnlySpan<char> whole = (point < 0 ? digits : digits[..point]).TrimStart('0');
        if (fraction.IsEmpty)
        {
            ReadOnlySpan<char> significant = whole.TrimEnd('0');
            exponent += whole.Length - significant.Length;
            whole = significant;
        }

        exponent -= fraction.Length;
        if (whole.IsEmpty)
        {
            fraction = fraction.TrimStart('0');
        }

        if (whole.IsEmpty && fraction.IsEmpty)
        {
            return true;
        }

        if (exponent < 0 || whole.Length + fraction.Length + exponent > MaxDigits)
        {
            return false;
        }

        UInt128 value = 0;
        foreach (char digit in whole)
        {
            value = (value * 10) + (uint)(digit - '0');
        }

        foreach (char digit in fraction)
        {
            value = (value * 10) + (uint)(digit - '0');
        }

        for (; exponent > 0; exponent--)
        {
            value *= 10;
        }

        if (value > (UInt128)long.MaxValue + (negative ? 1u : 0u))
        {
            return false;
        }

        number = negative ? (long)-(Int128)value : (long)value;
        return true;
    }

    private static long Exponent(ReadOnlySpan<char> text)
    {
        bool negative = text.StartsWith("-");
        long exponent = 0;
        foreach (char digit in text.TrimStart("+-"))
        {
            exponent = Math.Min((exponent * 10) + (digit - '0'), MaxExponent);
        }

        return negative ? -exponent : exponent;
    }
}
