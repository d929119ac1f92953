namespace KwaaiNet.CandelEngine.Text.Jinja;

// The language's values are .NET's: null (none), bool, long, double, JinjaText, JinjaList, JinjaMap, JinjaFunction,
// JinjaLoop, JinjaNamespace, and JinjaUndefined for what does not exist.

/// <summary>What a name or attribute gives that is not there: false, empty, printed as nothing; an error where a value is needed.</summary>
internal sealed class JinjaUndefined(string name)
{
    public string Name { get; } = name;
}

/// <summary>What <c>namespace()</c> makes: names that statements inside loops may set.</summary>
internal sealed class JinjaNamespace
{
    public Dictionary<string, object?> Values { get; } = new(StringComparer.Ordinal);
}

/// <summary>Something to call.</summary>
/// <param name="name">For messages.</param>
/// <param name="call">What it does.</param>
internal sealed class JinjaFunction(string name, Func<JinjaContext, JinjaArguments, object?> call)
{
    public string Name { get; } = name;

    public Func<JinjaContext, JinjaArguments, object?> Call { get; } = call;

    /// <summary>What it has of its own, as a macro its name.</summary>
    public IReadOnlyDictionary<string, object?>? Attributes { get; init; }
}

/// <summary>What the language says about values: truth, equality, order, text.</summary>
internal static class JinjaValues
{
    public static bool IsTrue(object? value) => value switch
    {
        null or JinjaUndefined => false,
        bool truth => truth,
        long number => number != 0,
        double number => number != 0,
        JinjaText text => text.Length > 0,
        JinjaList list => list.Kind == JinjaListKind.Generator || list.Items.Count > 0,
        JinjaMap map => map.Items.Count > 0,
        _ => true,
    };

    public static string TypeName(object? value) => value switch
    {
        null => "none",
        JinjaUndefined undefined => $"'{undefined.Name}', which is undefined",
        bool => "a truth value",
        long => "an integer",
        double => "a number",
        JinjaText => "a string",
        JinjaList { Kind: JinjaListKind.Tuple } => "a tuple",
        JinjaList => "a list",
        JinjaMap => "a dictionary",
        JinjaNamespace => "a namespace",
        JinjaLoop => "the loop",
        _ => "a function",
    };

    public static bool AreEqual(JinjaContext context, object? left, object? right)
    {
        context.Budget.Enter();
        try
        {
            return (left, right) switch
            {
                (null, null) or (JinjaUndefined, JinjaUndefined) => true,
                (JinjaText a, JinjaText b) => AreEqual(context, a, b),
                (JinjaList a, JinjaList b) => a.Kind == b.Kind && a.Items.Count == b.Items.Count && a.Items.Zip(b.Items).All(pair => AreEqual(context, pair.First, pair.Second)),
                (JinjaMap a, JinjaMap b) => a.Items.Count == b.Items.Count
                    && a.Items.TrueForAll(item => b.TryGet(item.Key, out object? other) && AreEqual(context, item.Value, other)),
                (bool or long, bool or long) => ToInteger(left) == ToInteger(right),
                (bool or long or double, bool or long or double) => ToDouble(left) == ToDouble(right),
                _ => ReferenceEquals(left, right),
            };
        }
        finally
        {
            context.Budget.Leave();
        }
    }

    private static bool AreEqual(JinjaContext context, JinjaText left, JinjaText right)
    {
        context.Budget.Charge(Math.Min(left.Length, right.Length));
        return left.Text == right.Text;
    }

    /// <summary>Below 0, 0 or above, as the left stands before, with or after the right.</summary>
    public static int Compare(JinjaContext context, object? left, object? right)
    {
        context.Budget.Enter();
        try
        {
            return (left, right) switch
            {
                (JinjaText a, JinjaText b) => CompareText(context, a.Text, b.Text),
                (bool or long, bool or long) => ToInteger(left).CompareTo(ToInteger(right)),
                (bool or long or double, bool or long or double) => ToDouble(left).CompareTo(ToDouble(right)),
                (JinjaList { IsIndexed: true } a, JinjaList { IsIndexed: true } b) when a.Kind == b.Kind => CompareLists(context, a.Items, b.Items),
                _ => throw new ChatTemplateException($"The chat template compares {TypeName(left)} with {TypeName(right)}."),
            };
        }
        finally
        {
            context.Budget.Leave();
        }
    }

    // By code points: UTF-16 units sort characters beyond U+FFFF before U+E000.
    private static int CompareText(JinjaContext context, string left, string right)
    {
        context.Budget.Charge(Math.Min(left.Length, right.Length));
        int at = left.AsSpan().CommonPrefixLength(right);
        if (at == left.Length || at == right.Length)
            return left.Length.CompareTo(right.Length);
        return char.IsSurrogate(left[at]) == char.IsSurrogate(right[at]) ? left[at].CompareTo(right[at]) : char.IsSurrogate(left[at]) ? 1 : -1;
    }

    private static int CompareLists(JinjaContext context, IReadOnlyList<object?> left, IReadOnlyList<object?> right)
    {
        for (int i = 0; i < Math.Min(left.Count, right.Count); i++)
        {
            if (!AreEqual(context, left[i], right[i]))
                return Compare(context, left[i], right[i]);
        }

        return left.Count.CompareTo(right.Count);
    }

    public static bool Contains(JinjaContext context, object? container, object? value) => container switch
    {
        JinjaUndefined => false,
        JinjaText text => value is JinjaText part
            ? JinjaStrings.Find(context, text, part) >= 0
            : throw new ChatTemplateException($"The chat template looks for {TypeName(value)} in a string."),
        JinjaList list => list.GoThrough().Any(item => AreEqual(context, item, value)),
        JinjaMap map => map.TryGet(value, out _),
        _ => throw new ChatTemplateException($"The chat template looks for something in {TypeName(container)}."),
    };

    public static bool IsNumber(object? value) => value is bool or long or double;

    public static long ToInteger(object? value) => value switch
    {
        long number => number,
        bool truth => truth ? 1 : 0,
        _ => throw new ChatTemplateException($"The chat template needs an integer and has {TypeName(value)}."),
    };

    public static double ToDouble(object? value) => value is double number ? number : ToInteger(value);

    /// <summary>The elements that a loop or a filter goes through.</summary>
    public static IReadOnlyList<object?> ToItems(JinjaContext context, object? value)
    {
        switch (value)
        {
            case JinjaUndefined:
                return [];
            case JinjaList list:
                context.Budget.Charge(list.Items.Count);
                return list.GoThrough();
            case JinjaMap map:
                context.Budget.ChargeItems(map.Items.Count);
                return map.Items.ConvertAll(item => item.Key);
            case JinjaText text:
                context.Budget.ChargeItems(text.Length);
                int[]? starts = text.CharacterStarts();
                object?[] characters = new object?[starts is null ? text.Length : starts.Length - 1];
                for (int i = 0; i < characters.Length; i++)
                    characters[i] = starts is null ? text.Slice(i, 1) : text.Slice(starts[i], starts[i + 1] - starts[i]);
                return characters;
            default:
                throw new ChatTemplateException($"The chat template goes through {TypeName(value)} as if it were a list.");
        }
    }

    /// <summary>A value as it is printed.</summary>
    public static JinjaText ToText(JinjaContext context, object? value) => JinjaPrinter.ToText(context, value);
}
