using System.Runtime.CompilerServices;

namespace KwaaiNet.CandelEngine.Text.Jinja;

/// <summary>What Python would call a sequence; the kinds differ in how they print, compare, and whether they can be gone through twice.</summary>
internal enum JinjaListKind
{
    List,
    Tuple,
    Range,
    Keys,
    Values,
    Items,

    /// <summary>What <c>map</c>, <c>select</c> and their like make: gone through once, always true, without length.</summary>
    Generator,
}

/// <summary>A list, tuple, range, view of a dictionary or generator.</summary>
/// <param name="items">The elements.</param>
/// <param name="kind">What it is.</param>
internal sealed class JinjaList(IReadOnlyList<object?> items, JinjaListKind kind = JinjaListKind.List)
{
    private bool _spent;

    public IReadOnlyList<object?> Items { get; } = items;

    public JinjaListKind Kind { get; } = kind;

    /// <summary>Whether elements have numbers.</summary>
    public bool IsIndexed => Kind is JinjaListKind.List or JinjaListKind.Tuple or JinjaListKind.Range;

    /// <summary>How it prints, where the elements do not say; a range.</summary>
    public string? Printed { get; init; }

    /// <summary>Attributes of a tuple with names; what <c>groupby</c> makes.</summary>
    public IReadOnlyDictionary<string, object?>? Names { get; init; }

    /// <summary>The elements, for going through them: a generator has them the first time only.</summary>
    public IReadOnlyList<object?> GoThrough()
    {
        if (Kind != JinjaListKind.Generator)
            return Items;
        IReadOnlyList<object?> items = _spent ? [] : Items;
        _spent = true;
        return items;
    }
}

/// <summary>A dictionary in insertion order. Keys are what Python can hash: text, numbers, none, tuples of these.</summary>
internal sealed class JinjaMap
{
    private readonly Dictionary<object, int> _places = new(JinjaKeys.Instance);

    /// <summary>Keys, with their marks, and values.</summary>
    public List<(object? Key, object? Value)> Items { get; } = [];

    /// <summary>Sets a key's value; a key that is there keeps its place.</summary>
    /// <exception cref="ChatTemplateException">The key is of a kind that cannot be one.</exception>
    public void Set(object? key, object? value)
    {
        if (_places.TryAdd(JinjaKeys.Check(key), Items.Count))
            Items.Add((key, value));
        else
            Items[_places[JinjaKeys.Check(key)]] = (Items[_places[JinjaKeys.Check(key)]].Key, value);
    }

    public bool TryGet(string key, out object? value) => TryGet(JinjaText.Trusted(key), out value);

    public bool TryGet(object? key, out object? value)
    {
        bool found = _places.TryGetValue(JinjaKeys.Check(key), out int place);
        value = found ? Items[place].Value : null;
        return found;
    }
}

/// <summary>When two keys of a dictionary are the same.</summary>
internal sealed class JinjaKeys : IEqualityComparer<object>
{
    private static readonly object s_none = new();

    public static JinjaKeys Instance { get; } = new();

    /// <summary>The key as the dictionary keeps it.</summary>
    /// <exception cref="ChatTemplateException">It is of a kind that cannot be a key.</exception>
    public static object Check(object? key) => key switch
    {
        null => s_none,
        JinjaMap or JinjaList { Kind: not JinjaListKind.Tuple } => throw new ChatTemplateException($"The chat template has {JinjaValues.TypeName(key)} as the key of a dictionary."),
        _ => key,
    };

    public new bool Equals(object? x, object? y) => (x, y) switch
    {
        (JinjaText a, JinjaText b) => a.Text == b.Text,
        (JinjaList a, JinjaList b) => AreEqual(a.Items, b.Items),
        (bool or long, bool or long) => JinjaValues.ToInteger(x) == JinjaValues.ToInteger(y),
        (bool or long or double, bool or long or double) => JinjaValues.ToDouble(x) == JinjaValues.ToDouble(y),
        (JinjaUndefined, JinjaUndefined) => true,
        _ => ReferenceEquals(x, y),
    };

    public int GetHashCode(object obj) => obj switch
    {
        JinjaText text => string.GetHashCode(text.Text, StringComparison.Ordinal),
        bool or long or double => JinjaValues.ToDouble(obj).GetHashCode(),
        JinjaList list => HashOf(list),
        JinjaUndefined => 0,
        _ => RuntimeHelpers.GetHashCode(obj),
    };

    // Tuples may hold tuples, and how deep is the template's choice: no budget comes along here, so the stack itself is asked.
    private bool AreEqual(IReadOnlyList<object?> x, IReadOnlyList<object?> y)
    {
        RuntimeHelpers.EnsureSufficientExecutionStack();
        if (x.Count != y.Count)
            return false;
        for (int i = 0; i < x.Count; i++)
        {
            if (!Equals(Check(x[i]), Check(y[i])))
                return false;
        }

        return true;
    }

    // By what it holds, or all pairs would share one place in the dictionary.
    private int HashOf(JinjaList list)
    {
        RuntimeHelpers.EnsureSufficientExecutionStack();
        HashCode hash = new();
        foreach (object? item in list.Items)
            hash.Add(GetHashCode(Check(item)));
        return hash.ToHashCode();
    }
}
