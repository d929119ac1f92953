namespace KwaaiNet.CandelEngine.Text.Jinja;

/// <summary>A filter: <c>value | filter(arguments)</c>.</summary>
internal delegate object? JinjaFilter(JinjaContext context, object? value, JinjaArguments arguments);

/// <summary>The filters, by name: the reference's own, but for those that make web pages or random choices.</summary>
internal static class JinjaFilters
{
    private static readonly Dictionary<string, JinjaFilter> s_filters = new(StringComparer.Ordinal)
    {
        // Text
        ["trim"] = (c, v, a) => JinjaStrings.Strip(c, Text(c, v), a.Optional(0, "chars") is null ? null : a.Text(0, "chars").Text, start: true, end: true),
        ["upper"] = (c, v, _) => JinjaStrings.Change(c, Text(c, v), t => t.ToUpperInvariant()),
        ["lower"] = (c, v, _) => JinjaStrings.Change(c, Text(c, v), t => t.ToLowerInvariant()),
        ["capitalize"] = (c, v, _) => JinjaStrings.Change(c, Text(c, v), JinjaStrings.Capitalize),
        ["title"] = (c, v, _) => JinjaStrings.Change(c, Text(c, v), JinjaTextFilters.Title),
        ["replace"] = JinjaTextFilters.Replace,
        ["indent"] = JinjaTextFilters.Indent,
        ["string"] = (c, v, _) => Text(c, v),
        ["safe"] = (c, v, _) => Text(c, v).AsSafe(),
        ["escape"] = (c, v, _) => JinjaTextFilters.Escape(c, Text(c, v)),
        ["e"] = (c, v, _) => JinjaTextFilters.Escape(c, Text(c, v)),
        ["forceescape"] = (c, v, _) => JinjaTextFilters.Escape(c, JinjaText.Marked(Text(c, v).Text, Text(c, v).UserMarks)),
        ["center"] = (c, v, a) => JinjaStrings.Pad(c, Text(c, v), JinjaValues.ToInteger(a.Optional(0, "width") ?? 80L), " ", '^'),
        ["truncate"] = JinjaTextFilters.Truncate,
        ["wordcount"] = (c, v, _) => JinjaTextFilters.CountWords(c, Text(c, v)),
        ["striptags"] = (c, v, _) => JinjaTextFilters.StripTags(c, Text(c, v)),
        ["urlencode"] = JinjaTextFilters.UrlEncode,
        ["format"] = (c, v, a) => JinjaTextFilters.Format(c, Text(c, v), a),
        ["tojson"] = JinjaTextFilters.ToJson,
        ["pprint"] = (c, v, _) => JinjaPrinter.ToSource(c, v),
        ["join"] = JinjaTextFilters.Join,

        // Numbers
        ["int"] = JinjaNumberFilters.ToInteger,
        ["float"] = JinjaNumberFilters.ToDouble,
        ["abs"] = JinjaNumberFilters.Abs,
        ["round"] = JinjaNumberFilters.Round,
        ["filesizeformat"] = JinjaNumberFilters.FileSize,

        // Anything
        ["default"] = Default,
        ["d"] = Default,
        ["attr"] = (_, v, a) => v is JinjaMap ? JinjaMethods.OfMap((JinjaMap)v, a.Text(0, "name").Text) ?? (object)new JinjaUndefined(a.Text(0, "name").Text) : JinjaAccess.Attribute(v, a.Text(0, "name").Text),

        // Lists
        ["length"] = JinjaListFilters.Length,
        ["count"] = JinjaListFilters.Length,
        ["first"] = (c, v, _) => JinjaValues.ToItems(c, v) is [var first, ..] ? first : new JinjaUndefined("the first of nothing"),
        ["last"] = (c, v, _) => v is JinjaList { Kind: JinjaListKind.Generator } ? throw JinjaListFilters.NotReversible(v) : JinjaValues.ToItems(c, v) is [.., var last] ? last : new JinjaUndefined("the last of nothing"),
        ["list"] = (c, v, _) => new JinjaList(JinjaValues.ToItems(c, v)),
        ["reverse"] = JinjaListFilters.Reverse,
        ["items"] = JinjaListFilters.Items,
        ["dictsort"] = JinjaListFilters.SortMap,
        ["sort"] = JinjaListFilters.Sort,
        ["unique"] = JinjaListFilters.Unique,
        ["min"] = (c, v, a) => JinjaListFilters.Extreme(c, v, a, -1),
        ["max"] = (c, v, a) => JinjaListFilters.Extreme(c, v, a, 1),
        ["sum"] = JinjaListFilters.Sum,
        ["batch"] = JinjaListFilters.Batch,
        ["slice"] = JinjaListFilters.Slice,
        ["groupby"] = JinjaListFilters.GroupBy,
        ["map"] = JinjaSelection.Map,
        ["select"] = (c, v, a) => JinjaSelection.Select(c, v, a, byAttribute: false, wanted: true),
        ["reject"] = (c, v, a) => JinjaSelection.Select(c, v, a, byAttribute: false, wanted: false),
        ["selectattr"] = (c, v, a) => JinjaSelection.Select(c, v, a, byAttribute: true, wanted: true),
        ["rejectattr"] = (c, v, a) => JinjaSelection.Select(c, v, a, byAttribute: true, wanted: false),
    };

    /// <summary>Finds a filter; null for a name the language here does not have.</summary>
    public static JinjaFilter? Find(string name) => s_filters.GetValueOrDefault(name);

    private static JinjaText Text(JinjaContext context, object? value) => JinjaValues.ToText(context, value);

    private static object? Default(JinjaContext context, object? value, JinjaArguments arguments)
    {
        bool replaced = value is JinjaUndefined || (JinjaValues.IsTrue(arguments.Optional(1, "boolean")) && !JinjaValues.IsTrue(value));
        return !replaced ? value : arguments.Has(0, "default_value") ? arguments.Optional(0, "default_value") : JinjaText.Empty;
    }
}
