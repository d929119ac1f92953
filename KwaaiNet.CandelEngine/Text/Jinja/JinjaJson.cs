using System.Globalization;

namespace KwaaiNet.CandelEngine.Text.Jinja;

/// <summary>The filter <c>tojson</c> as chat templates have it: Python's <c>json.dumps</c> with characters left as they are.</summary>
/// <param name="context">The rendering.</param>
/// <param name="builder">Where it goes.</param>
internal sealed class JinjaJson(JinjaContext context, JinjaTextBuilder builder)
{
    /// <summary>What a level is indented by; null: one line.</summary>
    public string? Indent { get; init; }

    /// <summary>What stands between elements.</summary>
    public required string Comma { get; init; }

    /// <summary>What stands between a key and its value.</summary>
    public required string Colon { get; init; }

    /// <summary>Whether keys are in alphabetical order.</summary>
    public bool SortKeys { get; init; }

    /// <summary>Whether characters beyond ASCII are escaped.</summary>
    public bool EnsureAscii { get; init; }

    /// <param name="value">What to write.</param>
    /// <param name="level">How deep it stands.</param>
    public void Write(object? value, int level = 0)
    {
        context.Budget.Enter();
        context.Budget.Charge(1);
        switch (value)
        {
            case JinjaText text:
                WriteString(text);
                break;
            case JinjaList { Kind: JinjaListKind.List or JinjaListKind.Tuple } list:
                WriteItems("[", "]", list.Items.Count, level, i => Write(list.Items[i], level + 1));
                break;
            case JinjaMap map:
                List<(JinjaText Key, object? Value)> items = map.Items.ConvertAll(item => (KeyText(item.Key), item.Value));
                if (SortKeys)
                    items = [.. items.OrderBy(item => item.Key, Comparer<JinjaText>.Create((a, b) => JinjaValues.Compare(context, a, b)))];
                WriteItems("{", "}", items.Count, level, i =>
                {
                    WriteString(items[i].Key);
                    builder.Append(Colon);
                    Write(items[i].Value, level + 1);
                });
                break;
            default:
                builder.Append(Simple(value) ?? throw new ChatTemplateException($"The chat template writes {JinjaValues.TypeName(value)} as JSON."));
                break;
        }

        context.Budget.Leave();
    }

    private static string? Simple(object? value) => value switch
    {
        null => "null",
        bool truth => truth ? "true" : "false",
        long number => number.ToString(CultureInfo.InvariantCulture),
        double number when double.IsNaN(number) => "NaN",
        double number when double.IsInfinity(number) => number > 0 ? "Infinity" : "-Infinity",
        double number => JinjaPrinter.NumberText(number),
        _ => null,
    };

    private static JinjaText KeyText(object? key) =>
        key as JinjaText ?? JinjaText.Trusted(Simple(key) ?? throw new ChatTemplateException($"The chat template writes {JinjaValues.TypeName(key)} as a key of JSON."));

    private void WriteItems(string open, string close, int count, int level, Action<int> write)
    {
        builder.Append(open);
        for (int i = 0; i < count; i++)
        {
            builder.Append(i > 0 ? Comma : "");
            BreakLine(level + 1);
            write(i);
        }

        if (count > 0)
            BreakLine(level);
        builder.Append(close);

        void BreakLine(int depth)
        {
            if (Indent is null)
                return;
            context.Budget.Charge(((long)Indent.Length * depth) + 1);
            builder.Append("\n");
            for (int i = 0; i < depth; i++)
                builder.Append(Indent);
        }
    }

    private void WriteString(JinjaText text)
    {
        context.Budget.Charge(text.Length);
        builder.Append("\"");
        int done = 0;
        for (int i = 0; i < text.Length; i++)
        {
            char c = text.Text[i];
            if (c is not ('"' or '\\') && c >= ' ' && (c < 0x7F || !EnsureAscii || c == 0x7F))
                continue;
            bool user = text.UserMarks is { } marks && marks[i];
            builder.Append(text, done, i - done).Append(
                c switch
                {
                    '"' => "\\\"",
                    '\\' => "\\\\",
                    '\n' => "\\n",
                    '\r' => "\\r",
                    '\t' => "\\t",
                    '\b' => "\\b",
                    '\f' => "\\f",
                    _ => $"\\u{(int)c:x4}",
                },
                user);
            done = i + 1;
        }

        builder.Append(text, done, text.Length - done).Append("\"");
    }
}
