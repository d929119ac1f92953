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

    /// <summary>Capital letters at the start of words.</summary>
    /// <param name="text">The text.</param>
    /// <param name="isInWord">Whether a character lets the next one go on in the same word.</param>
    public static string Title(string text, Func<char, bool> isInWord) => string.Create(text.Length, text, (changed, original) =>
    {
        for (int i = 0; i < changed.Length; i++)
            changed[i] = i > 0 && isInWord(original[i - 1]) ? char.ToLowerInvariant(original[i]) : char.ToUpperInvariant(original[i]);
    });

    public static string SwapCase(string text) => string.Create(text.Length, text, (changed, original) =>
    {
        for (int i = 0; i < changed.Length; i++)
            changed[i] = char.IsUpper(original[i]) ? char.ToLowerInvariant(original[i]) : char.ToUpperInvariant(original[i]);
    });

    /// <summary>Where a part last occurs, in characters; -1 when it does not.</summary>
    public static long FindLast(JinjaContext context, JinjaText text, JinjaText part)
    {
        context.Budget.ChargeSearch(text.Length, part.Length);
        int at = part.Length == 0 ? text.Length : text.Text.LastIndexOf(part.Text, StringComparison.Ordinal);
        return at < 0 ? -1 : text.Slice(0, at).CountCharacters();
    }

    /// <summary>How often a part occurs, one after another.</summary>
    public static long Count(JinjaContext context, JinjaText text, JinjaText part)
    {
        context.Budget.ChargeSearch(text.Length, part.Length);
        return part.Length == 0 ? text.CountCharacters() + 1 : text.Text.AsSpan().Count(part.Text);
    }

    /// <summary>Makes a text as wide as asked for.</summary>
    /// <param name="context">The rendering.</param>
    /// <param name="text">The text.</param>
    /// <param name="width">Characters wanted.</param>
    /// <param name="fill">The character to fill up with.</param>
    /// <param name="align">Where the text goes: <c>&lt;</c>, <c>&gt;</c>, <c>^</c> in the middle, <c>=</c> right with its sign left.</param>
    public static JinjaText Pad(JinjaContext context, JinjaText text, long width, string fill, char align)
    {
        long missing = width - text.CountCharacters();
        if (missing <= 0)
            return text;
        context.Budget.Charge(missing > JinjaBudget.MaximumWork ? long.MaxValue : text.Length + (missing * fill.Length));
        // As Python halves: of an odd number the smaller half left, but for an even width of the larger.
        long left = align switch { '<' => 0, '^' => (missing / 2) + (missing & width & 1), _ => missing };
        int sign = align == '=' && text.Length > 0 && text.Text[0] is '-' or '+' or ' ' ? 1 : 0;
        JinjaTextBuilder builder = new();
        builder.Append(text, 0, sign);
        for (long i = 0; i < left; i++)
            builder.Append(fill);
        builder.Append(text, sign, text.Length - sign);
        for (long i = left; i < missing; i++)
            builder.Append(fill);
        return builder.ToText();
    }

    public static JinjaText ExpandTabs(JinjaContext context, JinjaText text, long size)
    {
        JinjaTextBuilder builder = new();
        long column = 0;
        for (int i = 0; i < text.Length; i++)
        {
            if (text.Text[i] == '\t')
            {
                long spaces = size <= 0 ? 0 : size - (column % size);
                context.Budget.Charge(spaces);
                builder.Append(new string(' ', (int)spaces));
                column += spaces;
                continue;
            }

            builder.Append(text, i, 1);
            column = text.Text[i] is '\n' or '\r' ? 0 : column + 1;
        }

        return builder.ToText();
    }

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

    /// <summary>Splits as <see cref="Split"/> does, from the end.</summary>
    public static JinjaList SplitFromEnd(JinjaContext context, JinjaText text, JinjaText? separator, long most)
    {
        if (separator is { Length: 0 })
            throw new ChatTemplateException("The chat template splits a string at nothing.");
        context.Budget.ChargeSearch(text.Length, separator?.Length ?? 0);
        List<object?> parts = [];
        int end = text.Length;
        while (true)
        {
            ReadOnlySpan<char> rest = text.Text.AsSpan(0, end);
            rest = separator is null ? rest.TrimEnd() : rest;
            end = rest.Length;
            int at = parts.Count >= most ? -1 : separator is null ? LastSpace(rest) : rest.LastIndexOf(separator.Text);
            context.Budget.ChargeItems(1);
            if (at < 0)
            {
                if (separator is not null || end > 0)
                    parts.Add(separator is null && parts.Count < most ? Strip(context, text.Slice(0, end), null, start: true, end: false) : text.Slice(0, end));
                parts.Reverse();
                return new JinjaList(parts);
            }

            int start = at + (separator?.Length ?? 1);
            parts.Add(text.Slice(start, end - start));
            end = at;
        }
    }

    private static int LastSpace(ReadOnlySpan<char> text)
    {
        int at = text.Length - 1;
        while (at >= 0 && !char.IsWhiteSpace(text[at]))
            at--;
        return at;
    }

    public static JinjaList SplitLines(JinjaContext context, JinjaText text, bool keepEnds)
    {
        context.Budget.Charge(text.Length);
        List<object?> lines = [];
        for (int start = 0; start < text.Length;)
        {
            context.Budget.ChargeItems(1);
            int length = text.Text.AsSpan(start).IndexOfAny("\n\r\v\f\x1C\x1D\x1E\x85\u2028\u2029");
            int end = length < 0 ? text.Length : start + length;
            int after = length < 0 ? end : text.Text.AsSpan(end).StartsWith("\r\n") ? end + 2 : end + 1;
            lines.Add(text.Slice(start, (keepEnds ? after : end) - start));
            start = after;
        }

        return new JinjaList(lines);
    }

    public static JinjaText Replace(JinjaContext context, JinjaText text, JinjaText old, JinjaText replacement, long most = long.MaxValue)
    {
        context.Budget.ChargeSearch(text.Length, old.Length);
        JinjaTextBuilder builder = new();
        if (old.Length == 0)
            return Interleave(context, text, replacement, most);
        int from = 0;
        int at;
        while (most-- > 0 && (at = text.Text.IndexOf(old.Text, from, StringComparison.Ordinal)) >= 0)
        {
            context.Budget.Charge(replacement.Length);
            builder.Append(text, from, at - from).Append(replacement);
            from = at + old.Length;
        }

        return from == 0 ? text : builder.Append(text, from, text.Length - from).ToText();
    }

    private static JinjaText Interleave(JinjaContext context, JinjaText text, JinjaText part, long most)
    {
        JinjaTextBuilder builder = new();
        int[] starts = text.CharacterStarts() ?? [.. Enumerable.Range(0, text.Length + 1)];
        for (int i = 0; i < starts.Length; i++)
        {
            context.Budget.Charge(part.Length);
            builder.Append(i < most ? part : JinjaText.Empty);
            if (i + 1 < starts.Length)
                builder.Append(text, starts[i], starts[i + 1] - starts[i]);
        }

        return builder.ToText();
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

    /// <summary>Puts spaces before every line, but for the first and empty ones unless asked for.</summary>
    public static JinjaText Indent(JinjaContext context, JinjaText text, JinjaText space, bool first, bool blank)
    {
        JinjaTextBuilder builder = new();
        // The reference adds a line end first, so that a last one does not count as the end of the text.
        IReadOnlyList<object?> lines = SplitLines(context, Concatenated(text, "\n"), keepEnds: false).Items;
        for (int i = 0; i < lines.Count; i++)
        {
            JinjaText line = (JinjaText)lines[i]!;
            context.Budget.Charge((long)space.Length + line.Length + 1);
            builder.Append(i > 0 ? "\n" : "").Append((i > 0 ? blank || line.Length > 0 : first) ? space : JinjaText.Empty).Append(line);
        }

        return builder.ToText();
    }

    private static JinjaText Concatenated(JinjaText text, string end) => new JinjaTextBuilder().Append(text).Append(end).ToText();

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
