using System.Text;
using System.Text.RegularExpressions;

namespace KwaaiNet.CandelEngine.Text.Jinja;

/// <summary>The filters that make text.</summary>
internal static partial class JinjaTextFilters
{
    /// <summary>Capital letters after white space, hyphens and opening brackets.</summary>
    public static string Title(string text) => JinjaStrings.Title(text, c => !char.IsWhiteSpace(c) && c is not ('-' or '(' or '{' or '[' or '<'));

    public static object? Replace(JinjaContext context, object? value, JinjaArguments arguments) => JinjaStrings.Replace(
        context,
        JinjaValues.ToText(context, value),
        JinjaValues.ToText(context, arguments.Required(0, "old")),
        JinjaValues.ToText(context, arguments.Required(1, "new")),
        arguments.Optional(2, "count") is { } count && JinjaValues.ToInteger(count) >= 0 ? JinjaValues.ToInteger(count) : long.MaxValue);

    public static object? Indent(JinjaContext context, object? value, JinjaArguments arguments)
    {
        object? width = arguments.Optional(0, "width") ?? 4L;
        if (width is bool or long && JinjaValues.ToInteger(width) is < -1000 or > 1000)
            throw new ChatTemplateException($"The chat template indents by {width}.");
        JinjaText space = width as JinjaText ?? JinjaText.Trusted(new string(' ', (int)Math.Max(0, JinjaValues.ToInteger(width))));
        if (value is not JinjaText text)
            throw new ChatTemplateException($"The chat template indents {JinjaValues.TypeName(value)}.");
        return JinjaStrings.Indent(context, text, space, JinjaValues.IsTrue(arguments.Optional(1, "first")), JinjaValues.IsTrue(arguments.Optional(2, "blank")));
    }

    public static JinjaText Escape(JinjaContext context, JinjaText text)
    {
        if (text.IsSafe)
            return text;
        context.Budget.Charge(text.Length);
        JinjaTextBuilder builder = new();
        int done = 0;
        for (int i = 0; i < text.Length; i++)
        {
            string? escaped = text.Text[i] switch { '&' => "&amp;", '<' => "&lt;", '>' => "&gt;", '\'' => "&#39;", '"' => "&#34;", _ => null };
            if (escaped is null)
                continue;
            builder.Append(text, done, i - done).Append(escaped, text.UserMarks is { } marks && marks[i]);
            done = i + 1;
        }

        return builder.Append(text, done, text.Length - done).ToText().AsSafe();
    }

    public static object? Truncate(JinjaContext context, object? value, JinjaArguments arguments)
    {
        long length = JinjaValues.ToInteger(arguments.Optional(0, "length") ?? 255L);
        bool killWords = JinjaValues.IsTrue(arguments.Optional(1, "killwords"));
        JinjaText end = arguments.Has(2, "end") ? arguments.Text(2, "end") : JinjaText.Trusted("...");
        long leeway = JinjaValues.ToInteger(arguments.Optional(3, "leeway") ?? 5L);
        if (value is null or bool or long or double)
            throw new ChatTemplateException($"The chat template cuts off {JinjaValues.TypeName(value)}.");
        if (value is not JinjaText text)
            return value is JinjaUndefined ? JinjaText.Empty : JinjaListFilters.Length(context, value, arguments) is long count && count <= length + leeway ? value : throw new ChatTemplateException("The chat template cuts off what is no string.");
        if (length < end.Length || leeway < 0)
            throw new ChatTemplateException("The chat template cuts a string off shorter than its own end.");
        if (text.CountCharacters() <= length + leeway)
            return text;
        JinjaText kept = (JinjaText)JinjaAccess.Slice(context, text, null, length - end.CountCharacters(), null)!;
        int space = kept.Text.LastIndexOf(' ');
        return JinjaArithmetic.Concatenate(context, killWords || space < 0 ? kept : kept.Slice(0, space), end);
    }

    public static object CountWords(JinjaContext context, JinjaText text)
    {
        context.Budget.Charge(text.Length);
        return (long)Words().Count(text.Text);
    }

    public static JinjaText StripTags(JinjaContext context, JinjaText text)
    {
        context.Budget.Charge(text.Length);
        JinjaTextBuilder builder = new();
        int done = 0;
        // Not an expression: a text of nothing but beginnings of comments would be searched to its end for each of them.
        bool comments = true;
        for (int at = text.Text.IndexOf('<'); at >= 0; at = text.Text.IndexOf('<', done))
        {
            int end = -1;
            if (comments && text.Text.AsSpan(at).StartsWith("<!--", StringComparison.Ordinal))
                comments = (end = text.Text.IndexOf("-->", at + 4, StringComparison.Ordinal)) >= 0;
            int next = end >= 0 ? end + 3 : text.Text.IndexOf('>', at) + 1;
            if (next == 0)
                break;
            builder.Append(text, done, at - done);
            done = next;
        }

        return JinjaStrings.Join(context, JinjaStrings.Split(context, builder.Append(text, done, text.Length - done).ToText(), null, long.MaxValue).Items, JinjaText.Trusted(" "));
    }

    public static object? UrlEncode(JinjaContext context, object? value, JinjaArguments arguments)
    {
        if (value is JinjaText or bool or long or double or null or JinjaUndefined)
            return Quote(context, JinjaValues.ToText(context, value), "/");
        IReadOnlyList<object?> pairs = value is JinjaMap map ? JinjaMethods.Items(context, map).Items : JinjaValues.ToItems(context, value);
        List<object?> quoted = [];
        foreach (object? pair in pairs)
        {
            if (pair is null or bool or long or double or JinjaMap || JinjaValues.ToItems(context, pair) is not [var name, var content])
                throw new ChatTemplateException("The chat template makes a query of what are no pairs.");
            quoted.Add(JinjaArithmetic.Concatenate(context, JinjaArithmetic.Concatenate(context, Plus(name), JinjaText.Trusted("=")), Plus(content)));
        }

        return JinjaStrings.Join(context, quoted, JinjaText.Trusted("&"));

        JinjaText Plus(object? part) => JinjaStrings.Replace(context, Quote(context, JinjaValues.ToText(context, part), ""), JinjaText.Trusted("%20"), JinjaText.Trusted("+"));
    }

    public static JinjaText Format(JinjaContext context, JinjaText text, JinjaArguments arguments)
    {
        if (arguments.Positional.Count > 0 && arguments.Named.Count > 0)
            throw new ChatTemplateException("The chat template formats with values both by place and by name.");
        JinjaMap named = new();
        foreach ((string name, object? value) in arguments.Named)
            named.Set(JinjaText.Trusted(name), value);
        return JinjaFormat.Percent(context, text, arguments.Named.Count > 0 ? named : new JinjaList(arguments.Positional, JinjaListKind.Tuple));
    }

    public static object ToJson(JinjaContext context, object? value, JinjaArguments arguments)
    {
        object? indent = arguments.Optional(1, "indent");
        if (indent is bool or long && JinjaValues.ToInteger(indent) > 16)
            throw new ChatTemplateException($"The chat template indents JSON by {indent}.");
        IReadOnlyList<object?>? separators = arguments.Optional(2, "separators") is JinjaList list ? list.Items : null;
        if (separators is not null && separators is not [JinjaText, JinjaText])
            throw new ChatTemplateException("The chat template's separators for JSON are not two strings.");
        JinjaTextBuilder builder = new();
        JinjaJson json = new(context, builder)
        {
            Indent = indent is null ? null : indent is JinjaText space ? space.Text : new string(' ', (int)Math.Max(0, JinjaValues.ToInteger(indent))),
            Comma = separators is null ? indent is null ? ", " : "," : ((JinjaText)separators[0]!).Text,
            Colon = separators is null ? ": " : ((JinjaText)separators[1]!).Text,
            EnsureAscii = JinjaValues.IsTrue(arguments.Optional(0, "ensure_ascii")),
            SortKeys = JinjaValues.IsTrue(arguments.Optional(3, "sort_keys")),
        };
        json.Write(value);
        return builder.ToText();
    }

    public static object? Join(JinjaContext context, object? value, JinjaArguments arguments)
    {
        JinjaText separator = arguments.Has(0, "d") ? JinjaValues.ToText(context, arguments.Optional(0, "d")) : JinjaText.Empty;
        IReadOnlyList<object?> items = JinjaValues.ToItems(context, value);
        if (arguments.Optional(1, "attribute") is { } attribute)
            items = [.. items.Select(item => JinjaSelection.Attribute(context, item, attribute))];
        return JinjaStrings.Join(context, items, separator);
    }

    private static JinjaText Quote(JinjaContext context, JinjaText text, string safe)
    {
        JinjaTextBuilder builder = new();
        Span<byte> utf8 = stackalloc byte[4];
        for (int at = 0; at < text.Length;)
        {
            Rune.DecodeFromUtf16(text.Text.AsSpan(at), out Rune rune, out int length);
            context.Budget.Charge(length * 3);
            if (rune.IsAscii && (char.IsAsciiLetterOrDigit((char)rune.Value) || "_.-~".Contains((char)rune.Value) || safe.Contains((char)rune.Value)))
            {
                builder.Append(text, at, length);
            }
            else
            {
                foreach (byte value in utf8[..rune.EncodeToUtf8(utf8)])
                    builder.Append($"%{value:X2}", text.UserMarks is { } marks && marks[at]);
            }

            at += length;
        }

        return builder.ToText();
    }

    [GeneratedRegex(@"\w+")]
    private static partial Regex Words();
}
