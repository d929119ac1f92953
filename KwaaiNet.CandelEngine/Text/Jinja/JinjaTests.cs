namespace KwaaiNet.CandelEngine.Text.Jinja;

/// <summary>A test: <c>value is test(arguments)</c>.</summary>
internal delegate bool JinjaTest(JinjaContext context, object? value, JinjaArguments arguments);

/// <summary>The tests that templates use, by name.</summary>
internal static class JinjaTests
{
    private static readonly Dictionary<string, JinjaTest> s_tests = new(StringComparer.Ordinal)
    {
        ["defined"] = (_, v, _) => v is not JinjaUndefined,
        ["undefined"] = (_, v, _) => v is JinjaUndefined,
        ["none"] = (_, v, _) => v is null,
        ["string"] = (_, v, _) => v is JinjaText,
        ["number"] = (_, v, _) => JinjaValues.IsNumber(v),
        ["integer"] = (_, v, _) => v is long,
        ["float"] = (_, v, _) => v is double,
        ["lower"] = (c, v, _) => JinjaTextMethods.Find(JinjaValues.ToText(c, v), "islower")!.Call(c, JinjaArguments.None) is true,
        ["upper"] = (c, v, _) => JinjaTextMethods.Find(JinjaValues.ToText(c, v), "isupper")!.Call(c, JinjaArguments.None) is true,
        ["escaped"] = (_, v, _) => v is JinjaText { IsSafe: true },
        ["filter"] = (_, v, _) => JinjaKeys.Check(v) is JinjaText text && JinjaFilters.Find(text.Text) is not null,
        ["test"] = (_, v, _) => JinjaKeys.Check(v) is JinjaText text && Find(text.Text) is not null,
        ["sameas"] = (c, v, a) => IsSame(v, a.Required(0, "other")),
        ["boolean"] = (_, v, _) => v is bool,
        ["true"] = (_, v, _) => v is true,
        ["false"] = (_, v, _) => v is false,
        ["mapping"] = (_, v, _) => v is JinjaMap,
        ["sequence"] = (_, v, _) => v is JinjaList { IsIndexed: true } or JinjaText or JinjaMap or JinjaUndefined,
        ["iterable"] = (_, v, _) => v is JinjaList or JinjaText or JinjaMap or JinjaUndefined,
        // As the reference asks: what is undefined can be called, if only to fail.
        ["callable"] = (_, v, _) => v is JinjaFunction or JinjaLoop or JinjaUndefined,
        ["odd"] = (c, v, _) => Modulo(c, v, 2L) is 1L or 1.0,
        ["even"] = (c, v, _) => Modulo(c, v, 2L) is 0L or 0.0,
        ["divisibleby"] = (c, v, a) => Modulo(c, v, a.Required(0, "num")) is 0L or 0.0,
        ["equalto"] = IsEqual,
        ["eq"] = IsEqual,
        ["=="] = IsEqual,
        ["ne"] = (c, v, a) => !IsEqual(c, v, a),
        ["!="] = (c, v, a) => !IsEqual(c, v, a),
        ["lt"] = (c, v, a) => JinjaValues.Compare(c, v, a.Required(0, "other")) < 0,
        ["le"] = (c, v, a) => JinjaValues.Compare(c, v, a.Required(0, "other")) <= 0,
        ["gt"] = (c, v, a) => JinjaValues.Compare(c, v, a.Required(0, "other")) > 0,
        ["ge"] = (c, v, a) => JinjaValues.Compare(c, v, a.Required(0, "other")) >= 0,
        ["lessthan"] = (c, v, a) => JinjaValues.Compare(c, v, a.Required(0, "other")) < 0,
        ["greaterthan"] = (c, v, a) => JinjaValues.Compare(c, v, a.Required(0, "other")) > 0,
        ["<"] = (c, v, a) => JinjaValues.Compare(c, v, a.Required(0, "other")) < 0,
        ["<="] = (c, v, a) => JinjaValues.Compare(c, v, a.Required(0, "other")) <= 0,
        [">"] = (c, v, a) => JinjaValues.Compare(c, v, a.Required(0, "other")) > 0,
        [">="] = (c, v, a) => JinjaValues.Compare(c, v, a.Required(0, "other")) >= 0,
        ["in"] = (c, v, a) => JinjaValues.Contains(c, a.Required(0, "seq"), v),
    };

    /// <summary>Finds a test; null for a name the language here does not have.</summary>
    public static JinjaTest? Find(string name) => s_tests.GetValueOrDefault(name);

    // Text with '%' is filled with values, so '%s' is odd is an error, not a number.
    private static object Modulo(JinjaContext context, object? value, object? divisor) => JinjaArithmetic.Compute(context, "%", value, divisor);

    /// <summary>Python's <c>is</c>, as far as it says something: the same object, or equal values of one kind.</summary>
    private static bool IsSame(object? value, object? other) => (value, other) switch
    {
        (null, null) => true,
        (bool a, bool b) => a == b,
        (long a, long b) => a == b,
        (JinjaText a, JinjaText b) => a.Text == b.Text,
        _ => value is not null && ReferenceEquals(value, other),
    };

    private static bool IsEqual(JinjaContext context, object? value, JinjaArguments arguments) => JinjaValues.AreEqual(context, value, arguments.Required(0, "other"));
}
