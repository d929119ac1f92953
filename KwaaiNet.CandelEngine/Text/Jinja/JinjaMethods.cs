namespace KwaaiNet.CandelEngine.Text.Jinja;

/// <summary>The methods of dictionaries and lists. Those that would change one are there and refuse, as in the reference's immutable sandbox.</summary>
internal static class JinjaMethods
{
    /// <summary>A method of a dictionary; null for a name it does not have.</summary>
    public static JinjaFunction? OfMap(JinjaMap map, string name)
    {
        Func<JinjaContext, JinjaArguments, object?>? method = name switch
        {
            "items" => (c, _) => Items(c, map),
            "keys" => (c, _) => new JinjaList(JinjaValues.ToItems(c, map), JinjaListKind.Keys),
            "values" => (_, _) => new JinjaList(map.Items.ConvertAll(item => item.Value), JinjaListKind.Values),
            "get" => (_, a) => map.TryGet(a.Required(0, "key"), out object? value) ? value : a.Optional(1, "default"),
            "copy" => (c, _) => Copy(c, map),
            "update" or "pop" or "popitem" or "clear" or "setdefault" => (_, _) => throw Refused(name, "a dictionary"),
            _ => null,
        };
        return method is null ? null : new JinjaFunction(name, method);
    }

    /// <summary>A method of a list or tuple; null for a name it does not have.</summary>
    public static JinjaFunction? OfList(JinjaList list, string name)
    {
        if (list.Kind is not (JinjaListKind.List or JinjaListKind.Tuple))
            return null;
        Func<JinjaContext, JinjaArguments, object?>? method = name switch
        {
            "index" => (c, a) => Index(c, list, a.Required(0, "value")),
            "count" => (c, a) => (long)list.Items.Count(item => JinjaValues.AreEqual(c, item, a.Required(0, "value"))),
            "copy" when list.Kind == JinjaListKind.List => (_, _) => new JinjaList(list.Items),
            "append" or "extend" or "insert" or "pop" or "remove" or "clear" or "sort" or "reverse" when list.Kind == JinjaListKind.List => (_, _) => throw Refused(name, "a list"),
            _ => null,
        };
        return method is null ? null : new JinjaFunction(name, method);
    }

    /// <summary>Pairs of key and value.</summary>
    public static JinjaList Items(JinjaContext context, JinjaMap map, JinjaListKind kind = JinjaListKind.Items)
    {
        context.Budget.ChargeItems(2L * map.Items.Count);
        return new JinjaList(map.Items.ConvertAll(item => (object?)new JinjaList([item.Key, item.Value], JinjaListKind.Tuple)), kind);
    }

    private static JinjaMap Copy(JinjaContext context, JinjaMap map)
    {
        context.Budget.ChargeItems(map.Items.Count);
        JinjaMap copy = new();
        foreach ((object? key, object? value) in map.Items)
            copy.Set(key, value);
        return copy;
    }

    private static object Index(JinjaContext context, JinjaList list, object? value)
    {
        for (int i = 0; i < list.Items.Count; i++)
        {
            if (JinjaValues.AreEqual(context, list.Items[i], value))
                return (long)i;
        }

        throw new ChatTemplateException("The chat template asks where in a list something is that is not in it.");
    }

    private static ChatTemplateException Refused(string method, string what) => new($"The chat template changes {what} with '{method}', which templates may not.");
}
