namespace KwaaiNet.CandelEngine.Text.Jinja;

/// <summary>What methods and filters do with strings; marks are kept.</summary>
internal static class JinjaStrings
{
    /// <param name="context">The rendering.</param>
    /// <param name="text">The string.</param>
    /// <param name="characters">Which characters go; null: white space.</param>
    /// <param name="start">Whether they go from the start.</param>
    /// <param name="end">Whether they go from the end.</param>
    public static JinjaText Strip(JinjaContext context, JinjaText text, string? characters, bool start, bool end)
    {
        context.Budget.ChargeSearch(text.Length, characters?.Length ?? 0);
        int from = 0;
        int to = text.Length;
        while (start && from < to && Goes(text.Text[from]))
            from++;
        while (end && to > from && Goes(text.Text[to - 1]))
            to--;
        return text.Slice(from, to - from);

        bool Goes(char c) => characters is null ? char.IsWhiteSpace(c) : characters.Contains(c);
    }

    /// <summary>Where a part first occurs, in characters; -1 when it does not.</summary>
    public static long Find(JinjaContext context, JinjaText text, JinjaText part)
    {
        context.Budget.ChargeSearch(text.Length, part.Length);
        int at = text.Text.IndexOf(part.Text, StringComparison.Ordinal);
        return at < 0 ? -1 : text.Slice(0, at).CountCharacters();
    }

    public static JinjaText Change(JinjaContext context, JinjaText text, Func<string, string> change)
    {
        context.Budget.Charge(text.Length);
        return text.Map(change);
    }

    public static string Capitalize(string text) => text.Length == 0 ? text : char.ToUpperInvariant(text[0]) + text[1..].ToLowerInvariant();

    public static string Title(string text) => string.Create(text.Length, text, (changed, original) =>
    {
        for (int i = 0; i < changed.Length; i++)
            changed[i] = i > 0 && char.IsLetter(original[i - 1]) ? char.ToLowerInvariant(original[i]) : char.ToUpperInvariant(original[i]);
    });

    /// <summary>Splits at a separator, or at runs of white space when there is none.</summary>
    public static JinjaList Split(JinjaContext context, JinjaText text, JinjaText? separator, long most)
    {
        context.Budget.ChargeSearch(text.Length, separator?.Length ?? 0);
        if (separator is null)
            return SplitAtSpace(context, text, most);
        if (separator.Length == 0)
            throw new ChatTemplateException("The chat template splits a string at nothing.");
        List<object?> parts = [];
        int from = 0;
        int at;
        while (parts.Count < most && (at = text.Text.IndexOf(separator.Text, from, StringComparison.Ordinal)) >= 0)
        {
            context.Budget.ChargeItems(1);
            parts.Add(text.Slice(from, at - from));
            from = at + separator.Length;
        }

        parts.Add(text.Slice(from, text.Length - from));
        return new JinjaList(parts);
    }

    public static JinjaList SplitLines(JinjaContext context, JinjaText text)
    {
        JinjaList lines = Split(context, text, JinjaText.Trusted("\n"), long.MaxValue);
        return text.Length == 0 || text.Text[^1] == '\n' ? new JinjaList([.. lines.Items.Take(lines.Items.Count - 1)]) : lines;
    }

    public static JinjaText Replace(JinjaContext context, JinjaText text, JinjaText old, JinjaText replacement)
    {
        if (old.Length == 0)
            throw new ChatTemplateException("The chat template replaces nothing in a string.");
        context.Budget.ChargeSearch(text.Length, old.Length);
        JinjaTextBuilder builder = new();
        int from = 0;
        int at;
        while ((at = text.Text.IndexOf(old.Text, from, StringComparison.Ordinal)) >= 0)
        {
            context.Budget.Charge(replacement.Length);
            builder.Append(text, from, at - from).Append(replacement);
            from = at + old.Length;
        }

        return from == 0 ? text : builder.Append(text, from, text.Length - from).ToText();
    }

    public static JinjaText Join(JinjaContext context, IReadOnlyList<object?> items, JinjaText separator)
    {
        JinjaTextBuilder builder = new();
        for (int i = 0; i < items.Count; i++)
        {
            JinjaText item = JinjaValues.ToText(context, items[i]);
            context.Budget.Charge((long)separator.Length + item.Length);
            builder.Append(i > 0 ? separator : JinjaText.Empty).Append(item);
        }

        return builder.ToText();
    }

    /// <summary>Puts spaces before every line but the first.</summary>
    public static JinjaText Indent(JinjaContext context, JinjaText text, long width, bool first)
    {
        if (width is < 0 or > 1000)
            throw new ChatTemplateException($"The chat template indents by {width}.");
        JinjaText space = JinjaText.Trusted(new string(' ', (int)width));
        JinjaTextBuilder builder = new();
        IReadOnlyList<object?> lines = Split(context, text, JinjaText.Trusted("\n"), long.MaxValue).Items;
        for (int i = 0; i < lines.Count; i++)
        {
            JinjaText line = (JinjaText)lines[i]!;
            context.Budget.Charge(width + line.Length + 1);
            builder.Append(i > 0 ? "\n" : "").Append((i > 0 || first) && line.Length > 0 ? space : JinjaText.Empty).Append(line);
        }

        return builder.ToText();
    }

    private static JinjaList SplitAtSpace(JinjaContext context, JinjaText text, long most)
    {
        List<object?> parts = [];
        int at = 0;
        while (true)
        {
            while (at < text.Length && char.IsWhiteSpace(text.Text[at]))
                at++;
            if (at == text.Length)
                return new JinjaList(parts);
            int start = at;
            while (at < text.Length && (parts.Count >= most || !char.IsWhiteSpace(text.Text[at])))
                at++;
            context.Budget.ChargeItems(1);
            parts.Add(text.Slice(start, at - start));
        }
    }
}
