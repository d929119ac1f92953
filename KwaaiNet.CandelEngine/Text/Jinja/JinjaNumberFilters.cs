using System.Globalization;
using System.Text;

namespace KwaaiNet.CandelEngine.Text.Jinja;

/// <summary>The filters that make numbers, or text of them.</summary>
internal static class JinjaNumberFilters
{
    private static readonly string[] s_decimal = ["kB", "MB", "GB", "TB", "PB", "EB", "ZB", "YB"];
    private static readonly string[] s_binary = ["KiB", "MiB", "GiB", "TiB", "PiB", "EiB", "ZiB", "YiB"];

    public static object? ToInteger(JinjaContext context, object? value, JinjaArguments arguments)
    {
        object? otherwise = arguments.Has(0, "default") ? arguments.Optional(0, "default") : 0L;
        long numberBase = JinjaValues.ToInteger(arguments.Optional(1, "base") ?? 10L);
        switch (value)
        {
            case JinjaUndefined undefined:
                throw new ChatTemplateException($"The chat template takes '{undefined.Name}', which is undefined, as a number.");
            case bool or long:
                return JinjaValues.ToInteger(value);
            case double number:
                return Math.Abs(number) < long.MaxValue ? (long)number : double.IsFinite(number) ? throw new ChatTemplateException("The chat template computes an integer beyond 64 bits.") : otherwise;
            case JinjaText text:
                return TryParse(text.Text.Trim(), numberBase, out long parsed) ? parsed
                    : TryParse(text.Text, out double real) && Math.Abs(real) < long.MaxValue ? (long)real
                    : otherwise;
            default:
                return otherwise;
        }
    }

    public static object? ToDouble(JinjaContext context, object? value, JinjaArguments arguments) => value switch
    {
        JinjaUndefined undefined => throw new ChatTemplateException($"The chat template takes '{undefined.Name}', which is undefined, as a number."),
        JinjaText text when TryParse(text.Text, out double number) => number,
        bool or long or double => JinjaValues.ToDouble(value),
        _ => arguments.Has(0, "default") ? arguments.Optional(0, "default") : 0.0,
    };

    public static object? Abs(JinjaContext context, object? value, JinjaArguments arguments) => value switch
    {
        double number => (object)Math.Abs(number),
        _ => JinjaValues.ToInteger(value) is > long.MinValue and var integer ? Math.Abs(integer) : throw new ChatTemplateException("The chat template computes an integer beyond 64 bits."),
    };

    public static object? Round(JinjaContext context, object? value, JinjaArguments arguments)
    {
        long precision = JinjaValues.ToInteger(arguments.Optional(0, "precision") ?? 0L);
        string method = arguments.Has(1, "method") ? arguments.Text(1, "method").Text : "common";
        if (precision is < -300 or > 300 || method is not ("common" or "ceil" or "floor"))
            throw new ChatTemplateException($"The chat template rounds '{method}' to {precision} places.");
        if (method == "common")
            return value is bool or long ? RoundInteger(JinjaValues.ToInteger(value), precision) : RoundHalfEven(JinjaValues.ToDouble(value), precision);
        double scale = Math.Pow(10, precision);
        double scaled = JinjaValues.ToDouble(value) * scale;
        return (method == "ceil" ? Math.Ceiling(scaled) : Math.Floor(scaled)) / scale;
    }

    public static object? FileSize(JinjaContext context, object? value, JinjaArguments arguments)
    {
        bool binary = JinjaValues.IsTrue(arguments.Optional(0, "binary"));
        double size = (double)ToDouble(context, value is null or JinjaList or JinjaMap ? throw new ChatTemplateException("The chat template takes the size of what is no number.") : value, JinjaArguments.None)!;
        if (value is JinjaText text && !TryParse(text.Text, out _))
            throw new ChatTemplateException("The chat template takes the size of what is no number.");
        double unit = binary ? 1024 : 1000;
        if (size == 1)
            return JinjaText.Trusted("1 Byte");
        if (size < unit)
            return JinjaText.Trusted($"{(long)size} Bytes");
        int power = 0;
        double divisor = unit;
        while (power < s_decimal.Length - 1 && size >= divisor * unit)
        {
            divisor *= unit;
            power++;
        }

        return JinjaText.Trusted($"{JinjaFormatNumber.Write('f', size / divisor, 1, '\0', comma: false)} {(binary ? s_binary : s_decimal)[power]}");
    }

    // An integer stays one; what is rounded to tens goes to the nearer, halves to the even.
    private static object RoundInteger(long value, long precision)
    {
        if (precision >= 0)
            return value;
        decimal scale = precision < -18 ? 0 : (decimal)Math.Pow(10, -precision);
        return scale == 0 ? 0L : (long)(Math.Round(value / scale, MidpointRounding.ToEven) * scale);
    }

    // As Python rounds: the number as it is exactly, not as its shortest digits say.
    private static double RoundHalfEven(double value, long precision)
    {
        if (precision is < 0 or > 15 || !double.IsFinite(value))
            return precision > 15 || !double.IsFinite(value) ? value : Math.Round(value / Math.Pow(10, -precision), MidpointRounding.ToEven) * Math.Pow(10, -precision);
        return precision == 0
            ? Math.Round(value, MidpointRounding.ToEven)
            : double.Parse(value.ToString("F" + precision, CultureInfo.InvariantCulture), CultureInfo.InvariantCulture);
    }

    private static bool TryParse(string text, out double number)
    {
        text = text.Trim();
        string plain = text.TrimStart('+', '-').ToLowerInvariant();
        double special = plain switch { "inf" or "infinity" => double.PositiveInfinity, "nan" => double.NaN, _ => 0 };
        if (special != 0)
        {
            number = text.StartsWith('-') ? -special : special;
            return true;
        }

        return double.TryParse(text.Replace("_", ""), NumberStyles.Float, CultureInfo.InvariantCulture, out number) && plain.Length > 0 && (char.IsAsciiDigit(plain[0]) || plain[0] == '.');
    }

    private static bool TryParse(string text, long numberBase, out long number)
    {
        bool negative = text.StartsWith('-');
        string digits = (negative || text.StartsWith('+') ? text[1..] : text).Replace("_", "");
        string prefix = numberBase switch { 16 => "0x", 8 => "0o", 2 => "0b", _ => "\0" };
        digits = digits.StartsWith(prefix, StringComparison.OrdinalIgnoreCase) ? digits[2..] : digits;
        number = 0;
        foreach (Rune rune in digits.EnumerateRunes())
        {
            int digit = Rune.IsDigit(rune) ? (int)Rune.GetNumericValue(rune) : rune.IsAscii && Rune.IsLetter(rune) ? char.ToLowerInvariant((char)rune.Value) - 'a' + 10 : 99;
            if (digit >= numberBase || number > (long.MaxValue - digit) / numberBase)
                return false;
            number = (number * numberBase) + digit;
        }

        number = negative ? -number : number;
        return digits.Length > 0;
    }
}
