using System.Globalization;

namespace KwaaiNet.CandelEngine.Text.Jinja;

/// <summary>The filter <c>tojson</c> as chat templates have it: Python's <c>json.dumps</c> with characters left as they are.</summary>
internal static class JinjaJson
{
    /// <param name="context">The rendering.</param>
    /// <param name="value">What to write.</param>
    /// <param name="indent">Spaces a level; null: one line.</param>
    /// <param name="builder">Where it goes.</param>
    /// <param name="level">How deep it stands.</param>
    public static void Write(JinjaContext context, object? value, int? indent, JinjaTextBuilder builder, int level = 0)
    {
        context.Budget.Enter();
        context.Budget.Charge(1);
        switch (value)
        {
            case null:
                builder.Append("null");
                break;
            case bool truth:
                builder.Append(truth ? "true" : "false");
                break;
            case long number:
                builder.Append(number.ToString(CultureInfo.InvariantCulture));
                break;
            case double number:
                builder.Append(JinjaValues.NumberText(number));
                break;
            case JinjaText text:
                WriteString(context, text, builder);
                break;
            case JinjaList list:
                WriteItems(context, "[", "]", list.Items.Count, indent, builder, level, i => Write(context, list.Items[i], indent, builder, level + 1));
                break;
            case JinjaMap map:
                WriteItems(context, "{", "}", map.Items.Count, indent, builder, level, i =>
                {
                    WriteString(context, map.Items[i].Key, builder);
                    builder.Append(": ");
                    Write(context, map.Items[i].Value, indent, builder, level + 1);
                });
                break;
            default:
                throw new ChatTemplateException($"The chat template writes {JinjaValues.TypeName(value)} as JSON.");
        }

        context.Budget.Leave();
    }

    private static void WriteItems(JinjaContext context, string open, string close, int count, int? indent, JinjaTextBuilder builder, int level, Action<int> write)
    {
        builder.Append(open);
        for (int i = 0; i < count; i++)
        {
            builder.Append(i > 0 ? indent is null ? ", " : "," : "");
            BreakLine(level + 1);
            write(i);
        }

        if (count > 0)
            BreakLine(level);
        builder.Append(close);

        void BreakLine(int depth)
        {
            if (indent is not int width)
                return;
            context.Budget.Charge(((long)width * depth) + 1);
            builder.Append("\n").Append(new string(' ', width * depth));
        }
    }

    private static void WriteString(JinjaContext context, JinjaText text, JinjaTextBuilder builder)
    {
        context.Budget.Charge(text.Length);
        builder.Append("\"");
        int done = 0;
        for (int i = 0; i < text.Length; i++)
        {
            char c = text.Text[i];
            if (c is not ('"' or '\\') && c >= ' ')
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
