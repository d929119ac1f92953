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
        ["boolean"] = (_, v, _) => v is bool,
        ["true"] = (_, v, _) => v is true,
        ["false"] = (_, v, _) => v is false,
        ["mapping"] = (_, v, _) => v is JinjaMap,
        ["sequence"] = (_, v, _) => v is JinjaList or JinjaText or JinjaMap,
        ["iterable"] = (_, v, _) => v is JinjaList or JinjaText or JinjaMap or JinjaUndefined,
        ["callable"] = (_, v, _) => v is JinjaFunction,
        ["odd"] = (_, v, _) => JinjaValues.ToInteger(v) % 2 != 0,
        ["even"] = (_, v, _) => JinjaValues.ToInteger(v) % 2 == 0,
        ["divisibleby"] = (c, v, a) => JinjaArithmetic.Compute(c, "%", v, a.Required(0, "num")) is 0L,
        ["equalto"] = IsEqual,
        ["eq"] = IsEqual,
        ["=="] = IsEqual,
        ["ne"] = (c, v, a) => !IsEqual(c, v, a),
        ["!="] = (c, v, a) => !IsEqual(c, v, a),
        ["lt"] = (_, v, a) => JinjaValues.Compare(v, a.Required(0, "other")) < 0,
        ["le"] = (_, v, a) => JinjaValues.Compare(v, a.Required(0, "other")) <= 0,
        ["gt"] = (_, v, a) => JinjaValues.Compare(v, a.Required(0, "other")) > 0,
        ["ge"] = (_, v, a) => JinjaValues.Compare(v, a.Required(0, "other")) >= 0,
        ["in"] = (c, v, a) => JinjaValues.Contains(c, a.Required(0, "seq"), v),
    };

    /// <summary>Finds a test; null for a name the language here does not have.</summary>
    public static JinjaTest? Find(string name) => s_tests.GetValueOrDefault(name);

    private static bool IsEqual(JinjaContext context, object? value, JinjaArguments arguments) => JinjaValues.AreEqual(context, value, arguments.Required(0, "other"));
}
