using System.Globalization;

namespace KwaaiNet.CandelEngine.Text.Jinja;

/// <summary>Floating point numbers as C's <c>printf</c> writes them.</summary>
internal static class JinjaFormatNumber
{
    /// <param name="type"><c>f</c> fixed, <c>e</c> with exponent, <c>g</c> whichever is shorter, <c>%</c> a hundredfold; capitals for a capital E.</param>
    /// <param name="number">The number.</param>
    /// <param name="precision">Digits after the point, of <c>g</c> digits in all.</param>
    /// <param name="sign"><c>+</c> or a space for numbers that are not negative; else none.</param>
    /// <param name="comma">Whether thousands are parted.</param>
    public static string Write(char type, double number, int precision, char sign, bool comma)
    {
        string text = !double.IsFinite(number)
            ? double.IsNaN(number) ? "nan" : "inf"
            : type switch
            {
                'f' or 'F' => Math.Abs(number).ToString((comma ? "N" : "F") + precision, CultureInfo.InvariantCulture),
                '%' => (Math.Abs(number) * 100).ToString("F" + precision, CultureInfo.InvariantCulture) + "%",
                'e' or 'E' => Exponential(Math.Abs(number), precision, type),
                _ => General(Math.Abs(number), Math.Max(precision, 1), type),
            };
        return (double.IsNegative(number) && !double.IsNaN(number) ? "-" : sign is '+' or ' ' ? sign.ToString() : "") + text;
    }

    private static string Exponential(double number, int precision, char type)
    {
        string text = number.ToString((type is 'E' or 'G' ? "E" : "e") + precision, CultureInfo.InvariantCulture);
        // .NET writes three digits of exponent, C two where two do.
        int sign = text.Length - 4;
        return text[..(sign + 1)] + (text[sign + 1] == '0' ? text[(sign + 2)..] : text[(sign + 1)..]);
    }

    private static string General(double number, int digits, char type)
    {
        string exponential = Exponential(number, digits - 1, type);
        int e = exponential.LastIndexOfAny(['e', 'E']);
        int exponent = int.Parse(exponential.AsSpan(e + 1), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture);
        if (number != 0 && (exponent < -4 || exponent >= digits))
            return Trim(exponential[..e]) + exponential[e..];
        return Trim(number.ToString("F" + Math.Max(0, digits - 1 - exponent), CultureInfo.InvariantCulture));
    }

    private static string Trim(string text) => text.Contains('.') ? text.TrimEnd('0').TrimEnd('.') : text;
}
