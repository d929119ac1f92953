using System.Globalization;

namespace KwaaiNet.CandelEngine.Text.Jinja;

/// <summary>The functions every template may call.</summary>
internal static class JinjaGlobals
{
    private static readonly Dictionary<string, JinjaFunction> s_functions = new(StringComparer.Ordinal)
    {
        ["raise_exception"] = new JinjaFunction("raise_exception", (c, a) => throw new ChatTemplateException(JinjaValues.ToText(c, a.Required(0, "message")).Text)),
        ["namespace"] = new JinjaFunction("namespace", (_, a) => MakeNamespace(a)),
        ["dict"] = new JinjaFunction("dict", (_, a) => MakeMap(a)),
        ["range"] = new JinjaFunction("range", Range),
        ["strftime_now"] = new JinjaFunction("strftime_now", (c, a) => JinjaText.Trusted(FormatTime(c.Time.GetLocalNow(), a.Text(0, "format").Text))),
    };

    /// <summary>Finds a function; null when there is none of that name.</summary>
    public static JinjaFunction? Find(string name) => s_functions.GetValueOrDefault(name);

    private static JinjaNamespace MakeNamespace(JinjaArguments arguments)
    {
        JinjaNamespace space = new();
        foreach ((string name, object? value) in arguments.Named)
            space.Values[name] = value;
        return space;
    }

    private static JinjaMap MakeMap(JinjaArguments arguments)
    {
        JinjaMap map = new();
        foreach ((string name, object? value) in arguments.Named)
            map.Set(JinjaText.Trusted(name), value);
        return map;
    }

    private static object Range(JinjaContext context, JinjaArguments arguments)
    {
        bool both = arguments.Positional.Count > 1;
        long start = both ? JinjaValues.ToInteger(arguments.Positional[0]) : 0;
        long stop = JinjaValues.ToInteger(arguments.Required(both ? 1 : 0, "stop"));
        long step = JinjaValues.ToInteger(arguments.Optional(2, "step") ?? 1L);
        if (step == 0)
            throw new ChatTemplateException("The chat template counts in steps of 0.");
        Int128 distance = step > 0 ? (Int128)stop - start : (Int128)start - stop;
        Int128 count = distance <= 0 ? 0 : (distance + Int128.Abs(step) - 1) / Int128.Abs(step);
        context.Budget.ChargeItems(count > long.MaxValue ? long.MaxValue : (long)count);
        object?[] numbers = new object?[(int)count];
        for (int i = 0; i < numbers.Length; i++)
            numbers[i] = start + (i * step);
        return new JinjaList(numbers);
    }

    /// <summary>C's <c>strftime</c>, as far as templates use it.</summary>
    private static string FormatTime(DateTimeOffset time, string format)
    {
        const int MaximumFormat = 1000;
        if (format.Length > MaximumFormat)
            throw new ChatTemplateException($"The chat template asks for the time in a format of {format.Length} characters; at most {MaximumFormat} are read.");
        System.Text.StringBuilder text = new();
        for (int i = 0; i < format.Length; i++)
        {
            if (format[i] != '%' || i + 1 == format.Length)
            {
                text.Append(format[i]);
                continue;
            }

            string? part = format[++i] switch
            {
                'Y' => "yyyy",
                'y' => "yy",
                'm' => "MM",
                'B' => "MMMM",
                'b' => "MMM",
                'd' => "dd",
                'H' => "HH",
                'I' => "hh",
                'M' => "mm",
                'S' => "ss",
                'p' => "tt",
                'A' => "dddd",
                'a' => "ddd",
                _ => null,
            };
            if (part is not null)
                text.Append(time.ToString(part, CultureInfo.InvariantCulture));
            else if (format[i] == '%')
                text.Append('%');
            else
                throw new ChatTemplateException($"The chat template asks for the time as '%{format[i]}', which is not known here.");
        }

        return text.ToString();
    }
}
