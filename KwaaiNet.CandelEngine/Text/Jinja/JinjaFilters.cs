using System.Globalization;

namespace KwaaiNet.CandelEngine.Text.Jinja;

/// <summary>A filter: <c>value | filter(arguments)</c>.</summary>
internal delegate object? JinjaFilter(JinjaContext context, object? value, JinjaArguments arguments);

/// <summary>The filters that templates use, by name.</summary>
internal static class JinjaFilters
{
    private static readonly Dictionary<string, JinjaFilter> s_filters = new(StringComparer.Ordinal)
    {
        ["trim"] = (c, v, a) => JinjaStrings.Strip(c, Text(c, v), a.Has(0, "chars") ? a.Text(0, "chars").Text : null, start: true, end: true),
        ["upper"] = (c, v, _) => JinjaStrings.Change(c, Text(c, v), t => t.ToUpperInvariant()),
        ["lower"] = (c, v, _) => JinjaStrings.Change(c, Text(c, v), t => t.ToLowerInvariant()),
        ["capitalize"] = (c, v, _) => JinjaStrings.Change(c, Text(c, v), JinjaStrings.Capitalize),
        ["title"] = (c, v, _) => JinjaStrings.Change(c, Text(c, v), JinjaStrings.Title),
        ["replace"] = (c, v, a) => JinjaStrings.Replace(c, Text(c, v), a.Text(0, "old"), a.Text(1, "new")),
        ["indent"] = (c, v, a) => JinjaStrings.Indent(c, Text(c, v), JinjaValues.ToInteger(a.Optional(0, "width") ?? 4L), JinjaValues.IsTrue(a.Optional(1, "first"))),
        ["string"] = (c, v, _) => Text(c, v),
        ["safe"] = (_, v, _) => v,
        ["length"] = (c, v, _) => Length(c, v),
        ["count"] = (c, v, _) => Length(c, v),
        ["default"] = Default,
        ["d"] = Default,
        ["tojson"] = ToJson,
        ["join"] = (c, v, a) => JinjaStrings.Join(c, Attributes(c, v, a.Optional(1, "attribute")), a.Has(0, "d") ? a.Text(0, "d") : JinjaText.Empty),
        ["first"] = (c, v, _) => JinjaValues.ToItems(c, v) is [var first, ..] ? first : new JinjaUndefined("the first of nothing"),
        ["last"] = (c, v, _) => JinjaValues.ToItems(c, v) is [.., var last] ? last : new JinjaUndefined("the last of nothing"),
        ["list"] = (c, v, _) => new JinjaList(JinjaValues.ToItems(c, v)),
        ["reverse"] = (c, v, _) => v is JinjaText ? JinjaAccess.Slice(c, v, null, null, -1) : new JinjaList([.. JinjaValues.ToItems(c, v).Reverse()]),
        ["items"] = (c, v, _) => v is JinjaMap map ? JinjaMethods.Items(c, map) : new JinjaList([]),
        ["int"] = (_, v, a) => ToInteger(v, a),
        ["float"] = (_, v, _) => v is JinjaText t && double.TryParse(t.Text, CultureInfo.InvariantCulture, out double n) ? n : JinjaValues.IsNumber(v) ? JinjaValues.ToDouble(v) : 0.0,
        ["abs"] = (_, v, _) => v is double number ? Math.Abs(number) : JinjaValues.ToInteger(v) is var integer and > long.MinValue ? Math.Abs(integer) : 0L,
        ["map"] = Map,
        ["select"] = (c, v, a) => Select(c, v, a, byAttribute: false, wanted: true),
        ["reject"] = (c, v, a) => Select(c, v, a, byAttribute: false, wanted: false),
        ["selectattr"] = (c, v, a) => Select(c, v, a, byAttribute: true, wanted: true),
        ["rejectattr"] = (c, v, a) => Select(c, v, a, byAttribute: true, wanted: false),
    };

    /// <summary>Finds a filter; null for a name the language here does not have.</summary>
    public static JinjaFilter? Find(string name) => s_filters.GetValueOrDefault(name);

    private static JinjaText Text(JinjaContext context, object? value) => JinjaValues.ToText(context, value);

    private static object Length(JinjaContext context, object? value)
    {
        if (value is not JinjaText text)
            return (long)JinjaValues.ToItems(context, value).Count;
        context.Budget.Charge(text.Length);
        return (long)text.CountCharacters();
    }

    private static object? Default(JinjaContext context, object? value, JinjaArguments arguments)
    {
        bool replaced = value is JinjaUndefined || (JinjaValues.IsTrue(arguments.Optional(1, "boolean")) && !JinjaValues.IsTrue(value));
        return !replaced ? value : arguments.Has(0, "default_value") ? arguments.Optional(0, "default_value") : JinjaText.Empty;
    }

    private static object ToJson(JinjaContext context, object? value, JinjaArguments arguments)
    {
        long? indent = arguments.Named.GetValueOrDefault("indent") is { } width ? JinjaValues.ToInteger(width) : null;
        if (indent is < 0 or > 16)
            throw new ChatTemplateException($"The chat template indents JSON by {indent}.");
        JinjaTextBuilder builder = new();
        JinjaJson.Write(context, value, (int?)indent, builder);
        return builder.ToText();
    }

    private static object ToInteger(object? value, JinjaArguments arguments) => value switch
    {
        JinjaText text when long.TryParse(text.Text, NumberStyles.Integer, CultureInfo.InvariantCulture, out long number) => number,
        double number when Math.Abs(number) < long.MaxValue => (long)number,
        bool or long => JinjaValues.ToInteger(value),
        _ => arguments.Optional(0, "default") ?? 0L,
    };

    private static IReadOnlyList<object?> Attributes(JinjaContext context, object? value, object? attribute) =>
        attribute is JinjaText name ? [.. JinjaValues.ToItems(context, value).Select(item => JinjaAccess.Item(context, item, name))] : JinjaValues.ToItems(context, value);

    private static object Map(JinjaContext context, object? value, JinjaArguments arguments)
    {
        IReadOnlyList<object?> items = JinjaValues.ToItems(context, value);
        context.Budget.Charge(items.Count);
        if (arguments.Named.TryGetValue("attribute", out object? attribute))
            return new JinjaList(Attributes(context, value, attribute));
        string name = arguments.Text(0, "filter").Text;
        JinjaFilter filter = Find(name) ?? throw new ChatTemplateException($"The chat template maps with the filter '{name}', which is not known here.");
        JinjaArguments rest = new([.. arguments.Positional.Skip(1)], arguments.Named);
        List<object?> mapped = [];
        foreach (object? item in items)
        {
            context.Budget.Enter();
            mapped.Add(filter(context, item, rest));
            context.Budget.Leave();
        }

        return new JinjaList(mapped);
    }

    private static object Select(JinjaContext context, object? value, JinjaArguments arguments, bool byAttribute, bool wanted)
    {
        int testAt = byAttribute ? 1 : 0;
        JinjaText? attribute = byAttribute ? arguments.Text(0, "attribute") : null;
        string? name = arguments.Positional.Count > testAt ? arguments.Text(testAt, "test").Text : null;
        JinjaTest? test = name is null ? null : JinjaTests.Find(name) ?? throw new ChatTemplateException($"The chat template selects with the test '{name}', which is not known here.");
        JinjaArguments rest = new([.. arguments.Positional.Skip(testAt + 1)], arguments.Named);
        List<object?> selected = [];
        foreach (object? item in JinjaValues.ToItems(context, value))
        {
            context.Budget.Enter();
            object? tested = attribute is null ? item : JinjaAccess.Item(context, item, attribute);
            if ((test is null ? JinjaValues.IsTrue(tested) : test(context, tested, rest)) == wanted)
                selected.Add(item);
            context.Budget.Leave();
        }

        return new JinjaList(selected);
    }
}
