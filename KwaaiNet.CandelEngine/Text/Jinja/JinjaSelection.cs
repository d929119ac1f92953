using System.Globalization;

namespace KwaaiNet.CandelEngine.Text.Jinja;

/// <summary>The filters that take elements of a list apart or pick some: <c>map</c>, <c>select</c> and their like.</summary>
internal static class JinjaSelection
{
    /// <summary>An attribute of an element: a name, a number, or names with points between.</summary>
    public static object? Attribute(JinjaContext context, object? item, object? attribute)
    {
        if (attribute is not JinjaText path)
            return JinjaAccess.Item(context, item, attribute);
        foreach (string part in path.Text.Split('.'))
            item = JinjaAccess.Item(context, item, long.TryParse(part, NumberStyles.None, CultureInfo.InvariantCulture, out long place) ? place : JinjaText.Trusted(part));
        return item;
    }

    // None, 0 and their like have no elements to these filters, where others refuse them.
    private static IReadOnlyList<object?> ItemsOf(JinjaContext context, object? value) => JinjaValues.IsTrue(value) ? JinjaValues.ToItems(context, value) : [];

    public static object Map(JinjaContext context, object? value, JinjaArguments arguments)
    {
        IReadOnlyList<object?> items = ItemsOf(context, value);
        context.Budget.ChargeItems(items.Count);
        List<object?> mapped = [];
        if (arguments.Positional.Count == 0 && arguments.Named.TryGetValue("attribute", out object? attribute))
        {
            foreach (object? item in items)
            {
                object? found = Attribute(context, item, attribute);
                mapped.Add(found is JinjaUndefined && arguments.Named.TryGetValue("default", out object? otherwise) ? otherwise : found);
            }

            return new JinjaList(mapped, JinjaListKind.Generator);
        }

        string name = arguments.Text(0, "filter").Text;
        JinjaFilter filter = JinjaFilters.Find(name) ?? throw new ChatTemplateException($"The chat template maps with the filter '{name}', which is not known here.");
        JinjaArguments rest = new([.. arguments.Positional.Skip(1)], arguments.Named);
        foreach (object? item in items)
        {
            context.Budget.Enter();
            mapped.Add(filter(context, item, rest));
            context.Budget.Leave();
        }

        return new JinjaList(mapped, JinjaListKind.Generator);
    }

    public static object Select(JinjaContext context, object? value, JinjaArguments arguments, bool byAttribute, bool wanted)
    {
        int testAt = byAttribute ? 1 : 0;
        object? attribute = byAttribute ? arguments.Required(0, "attribute") : null;
        string? name = arguments.Positional.Count > testAt ? arguments.Text(testAt, "test").Text : null;
        JinjaTest? test = name is null ? null : JinjaTests.Find(name) ?? throw new ChatTemplateException($"The chat template selects with the test '{name}', which is not known here.");
        JinjaArguments rest = new([.. arguments.Positional.Skip(testAt + 1)], arguments.Named);
        List<object?> selected = [];
        foreach (object? item in ItemsOf(context, value))
        {
            context.Budget.Enter();
            object? tested = attribute is null ? item : Attribute(context, item, attribute);
            if ((test is null ? JinjaValues.IsTrue(tested) : test(context, tested, rest)) == wanted)
                selected.Add(item);
            context.Budget.Leave();
        }

        return new JinjaList(selected, JinjaListKind.Generator);
    }
}
