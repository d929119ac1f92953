using System.Globalization;

namespace KwaaiNet.CandelEngine.Text.Jinja;

// The language's values are .NET's: null (none), bool, long, double, JinjaText, JinjaList, JinjaMap, JinjaFunction,
// JinjaLoop, JinjaNamespace, and JinjaUndefined for what does not exist.

/// <summary>What a name or attribute gives that is not there: false, empty, printed as nothing; an error where a value is needed.</summary>
internal sealed class JinjaUndefined(string name)
{
    public string Name { get; } = name;
}

/// <summary>A list or tuple.</summary>
internal sealed class JinjaList(IReadOnlyList<object?> items)
{
    public IReadOnlyList<object?> Items { get; } = items;
}

/// <summary>A dictionary with text keys, in insertion order.</summary>
internal sealed class JinjaMap
{
    private readonly Dictionary<string, object?> _values = new(StringComparer.Ordinal);

    public IReadOnlyDictionary<string, object?> Values => _values;

    /// <summary>Keys with their marks.</summary>
    public List<(JinjaText Key, object? Value)> Items { get; } = [];

    public void Set(JinjaText key, object? value)
    {
        if (_values.TryAdd(key.Text, value))
        {
            Items.Add((key, value));
            return;
        }

        _values[key.Text] = value;
        Items[Items.FindIndex(item => item.Key.Text == key.Text)] = (key, value);
    }
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
        JinjaList list => list.Items.Count > 0,
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
                (JinjaList a, JinjaList b) => a.Items.Count == b.Items.Count && a.Items.Zip(b.Items).All(pair => AreEqual(context, pair.First, pair.Second)),
                (JinjaMap a, JinjaMap b) => a.Items.Count == b.Items.Count
                    && a.Items.TrueForAll(item => b.Values.TryGetValue(item.Key.Text, out object? other) && AreEqual(context, item.Value, other)),
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

    public static int Compare(object? left, object? right) => (left, right) switch
    {
        (JinjaText a, JinjaText b) => string.CompareOrdinal(a.Text, b.Text),
        (bool or long, bool or long) => ToInteger(left).CompareTo(ToInteger(right)),
        (bool or long or double, bool or long or double) => ToDouble(left).CompareTo(ToDouble(right)),
        _ => throw new ChatTemplateException($"The chat template compares {TypeName(left)} with {TypeName(right)}."),
    };

    public static bool Contains(JinjaContext context, object? container, object? value) => container switch
    {
        JinjaUndefined => false,
        JinjaText text => value is JinjaText part
            ? JinjaStrings.Find(context, text, part) >= 0
            : throw new ChatTemplateException($"The chat template looks for {TypeName(value)} in a string."),
        JinjaList list => list.Items.Any(item => AreEqual(context, item, value)),
        JinjaMap map => value is JinjaText key && map.Values.ContainsKey(key.Text),
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
                return list.Items;
            case JinjaMap map:
                context.Budget.Charge(map.Items.Count);
                return map.Items.ConvertAll(item => (object?)item.Key);
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
    public static JinjaText ToText(JinjaContext context, object? value)
    {
        if (value is JinjaText text)
            return text;
        JinjaTextBuilder builder = new();
        Print(context, builder, value, nested: false);
        return builder.ToText();
    }

    /// <summary>A number as Python prints it.</summary>
    public static string NumberText(double number) =>
        double.IsInteger(number) && Math.Abs(number) < 1e16
            ? number.ToString("0.0", CultureInfo.InvariantCulture)
            : number.ToString("R", CultureInfo.InvariantCulture);

    private static void Print(JinjaContext context, JinjaTextBuilder builder, object? value, bool nested)
    {
        context.Budget.Enter();
        context.Budget.Charge(1);
        switch (value)
        {
            case null:
                builder.Append("None");
                break;
            case JinjaUndefined:
                break;
            case bool truth:
                builder.Append(truth ? "True" : "False");
                break;
            case long number:
                builder.Append(number.ToString(CultureInfo.InvariantCulture));
                break;
            case double number:
                builder.Append(NumberText(number));
                break;
            case JinjaText text:
                context.Budget.Charge(text.Length);
                string quote = !text.Text.Contains('\'') ? "'" : text.Text.Contains('"') ? "'" : "\"";
                builder.Append(nested ? quote : "").Append(text).Append(nested ? quote : "");
                break;
            case JinjaList list:
                builder.Append("[");
                for (int i = 0; i < list.Items.Count; i++)
                {
                    builder.Append(i > 0 ? ", " : "");
                    Print(context, builder, list.Items[i], nested: true);
                }

                builder.Append("]");
                break;
            case JinjaMap map:
                builder.Append("{");
                for (int i = 0; i < map.Items.Count; i++)
                {
                    builder.Append(i > 0 ? ", " : "");
                    Print(context, builder, map.Items[i].Key, nested: true);
                    builder.Append(": ");
                    Print(context, builder, map.Items[i].Value, nested: true);
                }

                builder.Append("}");
                break;
            default:
                throw new ChatTemplateException($"The chat template prints {TypeName(value)}.");
        }

        context.Budget.Leave();
    }
}
