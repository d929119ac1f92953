namespace KwaaiNet.CandelEngine.Text.Jinja;

/// <summary>The functions <c>joiner</c> and <c>cycler</c>, which remember how often they were called.</summary>
internal static class JinjaCounters
{
    /// <summary>Nothing the first time, then always the separator.</summary>
    public static JinjaFunction Joiner(JinjaText separator)
    {
        bool used = false;
        return new JinjaFunction("joiner", (_, _) =>
        {
            JinjaText text = used ? separator : JinjaText.Empty;
            used = true;
            return text;
        });
    }

    /// <summary>One of the values after the other, round and round.</summary>
    public static JinjaNamespace Cycler(IReadOnlyList<object?> values)
    {
        if (values.Count == 0)
            throw new ChatTemplateException("The chat template cycles through nothing.");
        int at = 0;
        JinjaNamespace cycler = new();
        cycler.Values["current"] = values[0];
        cycler.Values["next"] = new JinjaFunction("next", (_, _) =>
        {
            object? value = values[at];
            at = (at + 1) % values.Count;
            cycler.Values["current"] = values[at];
            return value;
        });
        cycler.Values["reset"] = new JinjaFunction("reset", (_, _) =>
        {
            at = 0;
            cycler.Values["current"] = values[0];
            return null;
        });
        return cycler;
    }
}
