namespace KwaaiNet.CandelEngine.Text.Jinja;

/// <summary>The methods of strings and dictionaries that templates use.</summary>
internal static class JinjaMethods
{
    /// <summary>A method of a string; null for a name it does not have.</summary>
    public static JinjaFunction? OfText(JinjaText text, string name)
    {
        Func<JinjaContext, JinjaArguments, object?>? method = name switch
        {
            "strip" => (c, a) => JinjaStrings.Strip(c, text, Characters(a), start: true, end: true),
            "lstrip" => (c, a) => JinjaStrings.Strip(c, text, Characters(a), start: true, end: false),
            "rstrip" => (c, a) => JinjaStrings.Strip(c, text, Characters(a), start: false, end: true),
            "startswith" => (_, a) => text.Text.StartsWith(a.Text(0, "prefix").Text, StringComparison.Ordinal),
            "endswith" => (_, a) => text.Text.EndsWith(a.Text(0, "suffix").Text, StringComparison.Ordinal),
            "upper" => (c, _) => JinjaStrings.Change(c, text, t => t.ToUpperInvariant()),
            "lower" => (c, _) => JinjaStrings.Change(c, text, t => t.ToLowerInvariant()),
            "capitalize" => (c, _) => JinjaStrings.Change(c, text, JinjaStrings.Capitalize),
            "title" => (c, _) => JinjaStrings.Change(c, text, JinjaStrings.Title),
            "split" => (c, a) => JinjaStrings.Split(c, text, a.Optional(0, "sep") as JinjaText, a.Optional(1, "maxsplit") is long most && most >= 0 ? most : long.MaxValue),
            "splitlines" => (c, _) => JinjaStrings.SplitLines(c, text),
            "replace" => (c, a) => JinjaStrings.Replace(c, text, a.Text(0, "old"), a.Text(1, "new")),
            "find" => (c, a) => JinjaStrings.Find(c, text, a.Text(0, "sub")),
            "join" => (c, a) => JinjaStrings.Join(c, JinjaValues.ToItems(c, a.Required(0, "items")), text),
            _ => null,
        };
        return method is null ? null : new JinjaFunction(name, method);
    }

    /// <summary>A method of a dictionary; null for a name it does not have.</summary>
    public static JinjaFunction? OfMap(JinjaMap map, string name)
    {
        Func<JinjaContext, JinjaArguments, object?>? method = name switch
        {
            "items" => (c, _) => Items(c, map),
            "keys" => (c, _) => new JinjaList(JinjaValues.ToItems(c, map)),
            "values" => (_, _) => new JinjaList(map.Items.ConvertAll(item => item.Value)),
            "get" => (_, a) => a.Required(0, "key") is JinjaText key && map.Values.TryGetValue(key.Text, out object? value) ? value : a.Optional(1, "default"),
            _ => null,
        };
        return method is null ? null : new JinjaFunction(name, method);
    }

    /// <summary>Pairs of key and value.</summary>
    public static JinjaList Items(JinjaContext context, JinjaMap map)
    {
        context.Budget.Charge(map.Items.Count);
        return new JinjaList(map.Items.ConvertAll(item => (object?)new JinjaList([item.Key, item.Value])));
    }

    private static string? Characters(JinjaArguments arguments) => arguments.Optional(0, "chars") is null ? null : arguments.Text(0, "chars").Text;
}
