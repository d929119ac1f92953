namespace KwaaiNet.CandelEngine.Text.Jinja;

/// <summary>The filters that count, order and group the elements of lists.</summary>
internal static class JinjaListFilters
{
    public static object? Length(JinjaContext context, object? value, JinjaArguments arguments)
    {
        if (value is JinjaList { Kind: JinjaListKind.Generator })
            throw new ChatTemplateException("The chat template asks for the length of what a filter goes through, without making a list of it.");
        if (value is not JinjaText text)
            return (long)JinjaValues.ToItems(context, value).Count;
        context.Budget.Charge(text.Length);
        return (long)text.CountCharacters();
    }

    public static object? Reverse(JinjaContext context, object? value, JinjaArguments arguments) => value switch
    {
        JinjaText => JinjaAccess.Slice(context, value, null, null, -1),
        _ => new JinjaList([.. JinjaValues.ToItems(context, value).Reverse()], JinjaListKind.Generator),
    };

    public static object? Items(JinjaContext context, object? value, JinjaArguments arguments) => value switch
    {
        JinjaMap map => JinjaMethods.Items(context, map, JinjaListKind.Generator),
        JinjaUndefined => new JinjaList([], JinjaListKind.Generator),
        _ => throw new ChatTemplateException($"The chat template takes the items of {JinjaValues.TypeName(value)}."),
    };

    public static object? SortMap(JinjaContext context, object? value, JinjaArguments arguments)
    {
        if (value is not JinjaMap map)
            throw new ChatTemplateException($"The chat template sorts {JinjaValues.TypeName(value)} as a dictionary.");
        string by = arguments.Has(1, "by") ? arguments.Text(1, "by").Text : "key";
        int place = by == "key" ? 0 : by == "value" ? 1 : throw new ChatTemplateException($"The chat template sorts a dictionary by '{by}'.");
        IReadOnlyList<object?> items = JinjaMethods.Items(context, map).Items;
        bool caseSensitive = JinjaValues.IsTrue(arguments.Optional(0, "case_sensitive"));
        return Sorted(context, items, item => Fold(context, ((JinjaList)item!).Items[place], caseSensitive), JinjaValues.IsTrue(arguments.Optional(2, "reverse")));
    }

    public static object? Sort(JinjaContext context, object? value, JinjaArguments arguments)
    {
        bool caseSensitive = JinjaValues.IsTrue(arguments.Optional(1, "case_sensitive"));
        object? attribute = arguments.Optional(2, "attribute");
        IReadOnlyList<object?> items = JinjaValues.ToItems(context, value);
        // A list even of one key: elements that both lack the attribute are equal then, and not compared.
        IReadOnlyList<object?> attributes = attribute is JinjaText several ? [.. several.Text.Split(',').Select(JinjaText.Trusted)] : [attribute];
        Func<object?, object?> key = attribute is null
            ? item => Fold(context, item, caseSensitive)
            : item => new JinjaList([.. attributes.Select(name => Fold(context, JinjaSelection.Attribute(context, item, name), caseSensitive))]);
        return Sorted(context, items, key, JinjaValues.IsTrue(arguments.Optional(0, "reverse")));
    }

    public static object? Unique(JinjaContext context, object? value, JinjaArguments arguments)
    {
        bool caseSensitive = JinjaValues.IsTrue(arguments.Optional(0, "case_sensitive"));
        object? attribute = arguments.Optional(1, "attribute");
        HashSet<object> seen = new(JinjaKeys.Instance);
        List<object?> kept = [];
        foreach (object? item in JinjaValues.ToItems(context, value))
        {
            context.Budget.ChargeItems(1);
            if (seen.Add(JinjaKeys.Check(Fold(context, attribute is null ? item : JinjaSelection.Attribute(context, item, attribute), caseSensitive))))
                kept.Add(item);
        }

        return new JinjaList(kept, JinjaListKind.Generator);
    }

    /// <param name="context">The rendering.</param>
    /// <param name="value">The list.</param>
    /// <param name="arguments"><c>case_sensitive</c>, <c>attribute</c>.</param>
    /// <param name="sign">1 for the greatest, -1 for the least.</param>
    public static object? Extreme(JinjaContext context, object? value, JinjaArguments arguments, int sign)
    {
        bool caseSensitive = JinjaValues.IsTrue(arguments.Optional(0, "case_sensitive"));
        object? attribute = arguments.Optional(1, "attribute");
        IReadOnlyList<object?> items = JinjaValues.ToItems(context, value);
        if (items.Count == 0)
            return new JinjaUndefined("the greatest or least of nothing");
        object? best = items[0];
        object? bestKey = Key(best);
        foreach (object? item in items.Skip(1))
        {
            object? key = Key(item);
            if (JinjaValues.Compare(context, key, bestKey) * sign > 0)
                (best, bestKey) = (item, key);
        }

        return best;

        object? Key(object? item) => Fold(context, attribute is null ? item : JinjaSelection.Attribute(context, item, attribute), caseSensitive);
    }

    public static object? Sum(JinjaContext context, object? value, JinjaArguments arguments)
    {
        object? attribute = arguments.Optional(0, "attribute");
        object? sum = arguments.Has(1, "start") ? arguments.Optional(1, "start") : 0L;
        if (sum is JinjaText)
            throw new ChatTemplateException("The chat template sums strings.");
        foreach (object? item in JinjaValues.ToItems(context, value))
            sum = JinjaArithmetic.Compute(context, "+", sum, attribute is null ? item : JinjaSelection.Attribute(context, item, attribute));
        return sum;
    }

    public static object? Batch(JinjaContext context, object? value, JinjaArguments arguments)
    {
        long size = JinjaValues.ToInteger(arguments.Required(0, "linecount"));
        object? fill = arguments.Optional(1, "fill_with");
        List<object?> batches = [];
        List<object?> current = [];
        foreach (object? item in JinjaValues.ToItems(context, value))
        {
            if (current.Count == size)
            {
                batches.Add(new JinjaList(current));
                current = [];
            }

            current.Add(item);
        }

        if (current.Count > 0)
        {
            if (fill is not null && current.Count < size)
            {
                context.Budget.ChargeItems(size - current.Count);
                current.AddRange(Enumerable.Repeat(fill, (int)size - current.Count));
            }

            batches.Add(new JinjaList(current));
        }

        context.Budget.ChargeItems(batches.Count);
        return new JinjaList(batches, JinjaListKind.Generator);
    }

    public static object? Slice(JinjaContext context, object? value, JinjaArguments arguments)
    {
        long slices = JinjaValues.ToInteger(arguments.Required(0, "slices"));
        object? fill = arguments.Optional(1, "fill_with");
        IReadOnlyList<object?> items = JinjaValues.ToItems(context, value);
        if (slices <= 0)
            throw new ChatTemplateException($"The chat template slices a list into {slices} parts.");
        context.Budget.ChargeItems(slices);
        int size = (int)(items.Count / slices);
        int longer = (int)(items.Count % slices);
        List<object?> parts = [];
        for (int i = 0, at = 0; i < slices; i++)
        {
            int count = size + (i < longer ? 1 : 0);
            List<object?> part = [.. items.Skip(at).Take(count)];
            at += count;
            if (fill is not null && i >= longer)
                part.Add(fill);
            parts.Add(new JinjaList(part));
        }

        return new JinjaList(parts, JinjaListKind.Generator);
    }

    public static object? GroupBy(JinjaContext context, object? value, JinjaArguments arguments)
    {
        object? attribute = arguments.Required(0, "attribute");
        bool caseSensitive = JinjaValues.IsTrue(arguments.Optional(2, "case_sensitive"));
        JinjaList sorted = Sorted(context, JinjaValues.ToItems(context, value), item => Fold(context, Key(item), caseSensitive), reverse: false);
        List<object?> groups = [];
        for (int start = 0, end; start < sorted.Items.Count; start = end)
        {
            object? key = Fold(context, Key(sorted.Items[start]), caseSensitive);
            for (end = start + 1; end < sorted.Items.Count && JinjaValues.AreEqual(context, key, Fold(context, Key(sorted.Items[end]), caseSensitive));)
                end++;
            // The group is called as its first element says it, not in small letters.
            object? name = Key(sorted.Items[start]);
            JinjaList members = new([.. sorted.Items.Skip(start).Take(end - start)]);
            groups.Add(new JinjaList([name, members], JinjaListKind.Tuple) { Names = new Dictionary<string, object?> { ["grouper"] = name, ["list"] = members } });
        }

        return new JinjaList(groups);

        object? Key(object? item)
        {
            object? found = JinjaSelection.Attribute(context, item, attribute);
            return found is JinjaUndefined && arguments.Has(1, "default") ? arguments.Optional(1, "default") : found;
        }
    }

    public static ChatTemplateException NotReversible(object? value) => new($"The chat template takes the last of {JinjaValues.TypeName(value)} that is gone through from the start only.");

    private static object? Fold(JinjaContext context, object? value, bool caseSensitive) =>
        value is JinjaText text && !caseSensitive ? JinjaStrings.Change(context, text, t => t.ToLowerInvariant()) : value;

    private static JinjaList Sorted(JinjaContext context, IReadOnlyList<object?> items, Func<object?, object?> key, bool reverse)
    {
        context.Budget.ChargeItems(items.Count);
        Comparer<object?> order = Comparer<object?>.Create((a, b) => JinjaValues.Compare(context, a, b));
        // One element is not compared with anything; .NET's sort would compare it with itself.
        if (items.Count < 2)
            return new JinjaList([.. items]);
        List<(object? Item, object? Key)> keyed = [.. items.Select(item => (item, key(item)))];
        return new JinjaList([.. (reverse ? keyed.OrderByDescending(pair => pair.Key, order) : keyed.OrderBy(pair => pair.Key, order)).Select(pair => pair.Item)]);
    }
}
