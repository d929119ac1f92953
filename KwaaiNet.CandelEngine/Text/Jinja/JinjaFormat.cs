using System.Globalization;

namespace KwaaiNet.CandelEngine.Text.Jinja;

// Python's two ways to fill values into a string:
//
//   '%-5s %(name)03d %%' % values      %[(name)][flags][width][.precision]type
//   '{} {0} {name!r:>8.2f}'.format(…)  {[place or name][!conversion][:specification]}, {{ and }} for braces
//   specification: [[fill]align][sign][#][0][width][,][.precision][type]

/// <summary>The operator <c>%</c> of strings, and their method <c>format</c>.</summary>
internal static class JinjaFormat
{
    private const int MaximumWidth = 10_000;

    /// <summary><c>'%s' % values</c>: a tuple's elements one after another, a dictionary's by name, anything else as the only one.</summary>
    public static JinjaText Percent(JinjaContext context, JinjaText format, object? values)
    {
        context.Budget.Charge(format.Length);
        IReadOnlyList<object?> items = values is JinjaList { Kind: JinjaListKind.Tuple } tuple ? tuple.Items : [values];
        JinjaTextBuilder builder = new();
        int next = 0;
        int done = 0;
        string text = format.Text;
        for (int at = text.IndexOf('%', StringComparison.Ordinal); at >= 0; at = text.IndexOf('%', done))
        {
            builder.Append(format, done, at - done);
            at++;
            object? named = null;
            bool isNamed = at < text.Length && text[at] == '(';
            if (isNamed)
            {
                int close = text.IndexOf(')', at);
                if (close < 0 || values is not JinjaMap map || !map.TryGet(text[(at + 1)..close], out named))
                    throw Error("names a value that is not there");
                at = close + 1;
            }

            Specification wanted = new();
            for (; at < text.Length && text[at] is '-' or '+' or ' ' or '0' or '#'; at++)
            {
                wanted.Left |= text[at] == '-';
                wanted.Zero |= text[at] == '0';
                wanted.Alternate |= text[at] == '#';
                wanted.Sign = text[at] is '+' || (text[at] is ' ' && wanted.Sign != '+') ? text[at] : wanted.Sign;
            }

            wanted.Width = ReadNumber(text, ref at) ?? 0;
            if (at < text.Length && text[at] == '.')
            {
                at++;
                wanted.Precision = ReadNumber(text, ref at) ?? 0;
            }

            if (at >= text.Length)
                throw Error("ends within a place for a value");
            wanted.Type = text[at];
            done = at + 1;
            if (wanted.Type == '%')
            {
                builder.Append("%");
                continue;
            }

            if (!isNamed && next >= items.Count)
                throw Error("has more places than values");
            wanted.Align = wanted.Left ? '<' : wanted.Zero && wanted.Type is not ('s' or 'r' or 'c') ? '=' : '>';
            wanted.Fill = wanted.Align == '=' ? "0" : " ";
            builder.Append(Fill(context, wanted, isNamed ? named : items[next++], percent: true));
        }

        if (next < items.Count && values is not (JinjaMap or JinjaUndefined or JinjaList { Kind: not JinjaListKind.Tuple }))
            throw Error("has more values than places");
        return builder.Append(format, done, format.Length - done).ToText();
    }

    /// <summary><c>'{}'.format(…)</c>.</summary>
    public static JinjaText Braces(JinjaContext context, JinjaText format, JinjaArguments arguments)
    {
        context.Budget.Charge(format.Length);
        JinjaTextBuilder builder = new();
        string text = format.Text;
        int next = 0;
        for (int at = 0; at < text.Length;)
        {
            int brace = text.AsSpan(at).IndexOfAny('{', '}');
            if (brace < 0)
            {
                builder.Append(format, at, text.Length - at);
                break;
            }

            builder.Append(format, at, brace);
            at += brace;
            if (at + 1 < text.Length && text[at + 1] == text[at])
            {
                builder.Append(format, at, 1);
                at += 2;
                continue;
            }

            int close = text.IndexOf('}', at);
            if (text[at] == '}' || close < 0)
                throw Error("has a brace without its other");
            string field = text[(at + 1)..close];
            at = close + 1;
            int colon = field.IndexOf(':', StringComparison.Ordinal);
            string name = colon < 0 ? field : field[..colon];
            bool source = name.EndsWith("!r", StringComparison.Ordinal);
            name = name.EndsWith("!r", StringComparison.Ordinal) || name.EndsWith("!s", StringComparison.Ordinal) ? name[..^2] : name;
            object? value = name.Length == 0 ? Place(arguments, next++)
                : int.TryParse(name, NumberStyles.None, CultureInfo.InvariantCulture, out int place) ? Place(arguments, place)
                : arguments.Named.TryGetValue(name, out object? named) ? named
                : throw Error("names a value that is not there");
            if (source)
                value = JinjaPrinter.ToSource(context, value);
            builder.Append(Fill(context, Specification.Read(colon < 0 ? "" : field[(colon + 1)..], value), value, percent: false));
        }

        return builder.ToText();
    }

    private static object? Place(JinjaArguments arguments, int place) => place < arguments.Positional.Count ? arguments.Positional[place] : throw Error("has more places than values");

    private static JinjaText Fill(JinjaContext context, Specification wanted, object? value, bool percent)
    {
        if (wanted.Width > MaximumWidth || wanted.Precision > MaximumWidth)
            throw Error("asks for a width beyond reason");
        JinjaText text = wanted.Type switch
        {
            's' => Cut(JinjaPrinter.ToText(context, value), wanted.Precision),
            'r' or 'a' => Cut(JinjaPrinter.ToSource(context, value), wanted.Precision),
            'c' when percent && value is JinjaText { Length: 1 } character => character,
            'c' => JinjaText.Trusted(char.ConvertFromUtf32((int)JinjaValues.ToInteger(value))),
            'd' or 'i' or 'u' when percent && value is double number => JinjaText.Trusted(Signed(wanted, (long)number)),
            'd' or 'i' or 'u' or 'x' or 'X' or 'o' or 'b' => JinjaText.Trusted(Signed(wanted, JinjaValues.ToInteger(value))),
            'f' or 'F' or 'e' or 'E' or 'g' or 'G' or '%' => JinjaText.Trusted(JinjaFormatNumber.Write(wanted.Type, JinjaValues.ToDouble(value), wanted.Precision ?? 6, wanted.Sign, wanted.Comma)),
            _ => throw Error($"has a place of the kind '{wanted.Type}', which is not known"),
        };
        return JinjaStrings.Pad(context, text, wanted.Width, wanted.Fill, wanted.Align);
    }

    private static JinjaText Cut(JinjaText text, int? most) => most is int count && count < text.Length ? text.Slice(0, count) : text;

    private static string Signed(Specification wanted, long number)
    {
        string digits = wanted.Type switch
        {
            'x' => Math.Abs(number).ToString("x", CultureInfo.InvariantCulture),
            'X' => Math.Abs(number).ToString("X", CultureInfo.InvariantCulture),
            'o' => Convert.ToString(Math.Abs(number), 8),
            'b' => Convert.ToString(Math.Abs(number), 2),
            _ => Math.Abs(number).ToString(wanted.Comma ? "#,0" : "0", CultureInfo.InvariantCulture),
        };
        if (wanted.Precision is int least && wanted.Type is 'd' or 'i' or 'u')
            digits = digits.PadLeft(Math.Min(wanted.Precision.Value, MaximumWidth), '0');
        string prefix = wanted.Alternate && wanted.Type is 'x' or 'X' or 'o' or 'b' ? $"0{wanted.Type}" : "";
        return (number < 0 ? "-" : wanted.Sign is '+' or ' ' ? wanted.Sign.ToString() : "") + prefix + digits;
    }

    private static int? ReadNumber(string text, ref int at)
    {
        int start = at;
        while (at < text.Length && char.IsAsciiDigit(text[at]))
            at++;
        return at == start ? null : at - start > 6 ? throw Error("asks for a width beyond reason") : int.Parse(text.AsSpan(start, at - start), CultureInfo.InvariantCulture);
    }

    private static ChatTemplateException Error(string problem) => new($"The chat template fills values into a string that {problem}.");

    /// <summary>How one value is wanted.</summary>
    private sealed class Specification
    {
        public bool Left { get; set; }

        public bool Zero { get; set; }

        public bool Alternate { get; set; }

        public bool Comma { get; set; }

        public char Sign { get; set; }

        public int Width { get; set; }

        public int? Precision { get; set; }

        public char Type { get; set; }

        public char Align { get; set; } = '>';

        public string Fill { get; set; } = " ";

        /// <summary>Reads what stands after the colon.</summary>
        public static Specification Read(string text, object? value)
        {
            Specification wanted = new() { Align = value is JinjaText or null ? '<' : '>' };
            int at = 0;
            if (text.Length > 1 && text[1] is '<' or '>' or '^' or '=')
                (wanted.Fill, wanted.Align, at) = (text[0].ToString(), text[1], 2);
            else if (text.Length > 0 && text[0] is '<' or '>' or '^' or '=')
                (wanted.Align, at) = (text[0], 1);
            if (at < text.Length && text[at] is '+' or '-' or ' ')
                wanted.Sign = text[at++];
            if (at < text.Length && text[at] == '#')
                wanted.Alternate = at++ >= 0;
            if (at < text.Length && text[at] == '0')
                (wanted.Fill, wanted.Align, at) = ("0", '=', at + 1);
            wanted.Width = ReadNumber(text, ref at) ?? 0;
            if (at < text.Length && text[at] == ',')
                wanted.Comma = at++ >= 0;
            if (at < text.Length && text[at] == '.')
            {
                at++;
                wanted.Precision = ReadNumber(text, ref at) ?? throw Error("leaves out a precision");
            }

            wanted.Type = at < text.Length ? text[at++] : value is long && wanted.Precision is null ? 'd' : value is double && wanted.Precision is not null ? 'g' : 's';
            return at == text.Length ? wanted : throw Error("has a specification that is not known");
        }
    }
}
