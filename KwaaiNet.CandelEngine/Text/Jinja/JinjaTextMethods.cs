using System.Text;

namespace KwaaiNet.CandelEngine.Text.Jinja;

/// <summary>The methods of strings.</summary>
internal static class JinjaTextMethods
{
    /// <summary>A method of a string; null for a name it does not have.</summary>
    public static JinjaFunction? Find(JinjaText text, string name)
    {
        Func<JinjaContext, JinjaArguments, object?>? method = Making(text, name) ?? Asking(text, name);
        return method is null ? null : new JinjaFunction(name, method);
    }

    private static Func<JinjaContext, JinjaArguments, object?>? Making(JinjaText text, string name) => name switch
    {
        "strip" => (c, a) => JinjaStrings.Strip(c, text, Characters(a), start: true, end: true),
        "lstrip" => (c, a) => JinjaStrings.Strip(c, text, Characters(a), start: true, end: false),
        "rstrip" => (c, a) => JinjaStrings.Strip(c, text, Characters(a), start: false, end: true),
        "upper" => (c, _) => JinjaStrings.Change(c, text, t => t.ToUpperInvariant()),
        "lower" or "casefold" => (c, _) => JinjaStrings.Change(c, text, t => t.ToLowerInvariant()),
        "capitalize" => (c, _) => JinjaStrings.Change(c, text, JinjaStrings.Capitalize),
        "title" => (c, _) => JinjaStrings.Change(c, text, t => JinjaStrings.Title(t, char.IsLetter)),
        "swapcase" => (c, _) => JinjaStrings.Change(c, text, JinjaStrings.SwapCase),
        "split" => (c, a) => JinjaStrings.Split(c, text, a.Optional(0, "sep") as JinjaText, Most(a, 1, "maxsplit")),
        "rsplit" => (c, a) => JinjaStrings.SplitFromEnd(c, text, a.Optional(0, "sep") as JinjaText, Most(a, 1, "maxsplit")),
        "partition" => (c, a) => Partition(c, text, a.Text(0, "sep"), last: false),
        "rpartition" => (c, a) => Partition(c, text, a.Text(0, "sep"), last: true),
        "splitlines" => (c, a) => JinjaStrings.SplitLines(c, text, JinjaValues.IsTrue(a.Optional(0, "keepends"))),
        "replace" => (c, a) => JinjaStrings.Replace(c, text, a.Text(0, "old"), a.Text(1, "new"), Most(a, 2, "count")),
        "removeprefix" => (_, a) => text.Text.StartsWith(a.Text(0, "prefix").Text, StringComparison.Ordinal) ? text.Slice(a.Text(0, "prefix").Length, text.Length - a.Text(0, "prefix").Length) : text,
        "removesuffix" => (_, a) => text.Text.EndsWith(a.Text(0, "suffix").Text, StringComparison.Ordinal) ? text.Slice(0, text.Length - a.Text(0, "suffix").Length) : text,
        "join" => (c, a) => Join(c, JinjaValues.ToItems(c, a.Required(0, "items")), text),
        "center" => (c, a) => JinjaStrings.Pad(c, text, JinjaValues.ToInteger(a.Required(0, "width")), Fill(a), '^'),
        "ljust" => (c, a) => JinjaStrings.Pad(c, text, JinjaValues.ToInteger(a.Required(0, "width")), Fill(a), '<'),
        "rjust" => (c, a) => JinjaStrings.Pad(c, text, JinjaValues.ToInteger(a.Required(0, "width")), Fill(a), '>'),
        "zfill" => (c, a) => JinjaStrings.Pad(c, text, JinjaValues.ToInteger(a.Required(0, "width")), "0", text.Length > 0 && text.Text[0] is '-' or '+' ? '=' : '>'),
        "expandtabs" => (c, a) => JinjaStrings.ExpandTabs(c, text, JinjaValues.ToInteger(a.Optional(0, "tabsize") ?? 8L)),
        "format" => (c, a) => JinjaFormat.Braces(c, text, a),
        _ => null,
    };

    private static Func<JinjaContext, JinjaArguments, object?>? Asking(JinjaText text, string name) => name switch
    {
        "startswith" => (c, a) => IsAtEdge(c, text, a, "prefix", (t, part) => t.StartsWith(part, StringComparison.Ordinal)),
        "endswith" => (c, a) => IsAtEdge(c, text, a, "suffix", (t, part) => t.EndsWith(part, StringComparison.Ordinal)),
        "find" => (c, a) => Place(c, text, a, last: false),
        "rfind" => (c, a) => Place(c, text, a, last: true),
        "index" => (c, a) => Place(c, text, a, last: false) is >= 0 and var at ? at : throw new ChatTemplateException("The chat template asks where in a string something is that is not in it."),
        "rindex" => (c, a) => Place(c, text, a, last: true) is >= 0 and var at ? at : throw new ChatTemplateException("The chat template asks where in a string something is that is not in it."),
        "count" => (c, a) => JinjaStrings.Count(c, text, a.Text(0, "sub")),
        "isdigit" => (c, _) => All(c, text, r => Rune.IsDigit(r) || r.Value is 0xB2 or 0xB3 or 0xB9 or 0x2070 or (>= 0x2074 and <= 0x2079) or (>= 0x2080 and <= 0x2089)),
        "isdecimal" => (c, _) => All(c, text, Rune.IsDigit),
        "isnumeric" => (c, _) => All(c, text, Rune.IsNumber),
        "isalpha" => (c, _) => All(c, text, Rune.IsLetter),
        "isalnum" => (c, _) => All(c, text, r => Rune.IsLetter(r) || Rune.IsNumber(r)),
        "isspace" => (c, _) => All(c, text, Rune.IsWhiteSpace),
        "isascii" => (c, _) => text.Length == 0 || All(c, text, r => r.IsAscii),
        "isidentifier" => (c, _) => text.Length > 0 && !char.IsDigit(text.Text[0]) && All(c, text, r => Rune.IsLetterOrDigit(r) || r.Value == '_'),
        "isupper" => (c, _) => text.Text.Any(char.IsUpper) && !All(c, text, r => !Rune.IsUpper(r) && !Rune.IsLower(r)) && !text.Text.Any(char.IsLower),
        "islower" => (c, _) => text.Text.Any(char.IsLower) && !text.Text.Any(char.IsUpper),
        "istitle" => (c, _) => text.Text.Any(char.IsLetter) && JinjaStrings.Title(text.Text, char.IsLetter) == text.Text,
        _ => null,
    };

    private static object IsAtEdge(JinjaContext context, JinjaText text, JinjaArguments arguments, string name, Func<string, string, bool> test)
    {
        JinjaText part = Part(context, text, arguments, out _);
        if (arguments.Required(0, name) is JinjaList { Kind: JinjaListKind.Tuple } several)
            return several.Items.Any(item => item is JinjaText one && test(part.Text, one.Text));
        return test(part.Text, arguments.Text(0, name).Text);
    }

    private static long Place(JinjaContext context, JinjaText text, JinjaArguments arguments, bool last)
    {
        JinjaText part = Part(context, text, arguments, out long start);
        JinjaText wanted = arguments.Text(0, "sub");
        long at = last ? JinjaStrings.FindLast(context, part, wanted) : JinjaStrings.Find(context, part, wanted);
        return at < 0 ? -1 : start + at;
    }

    /// <summary>The part of the text that the second and third argument say.</summary>
    private static JinjaText Part(JinjaContext context, JinjaText text, JinjaArguments arguments, out long start)
    {
        start = 0;
        if (arguments.Optional(1, "start") is null && arguments.Optional(2, "end") is null)
            return text;
        long? from = arguments.Optional(1, "start") is { } first ? JinjaValues.ToInteger(first) : null;
        long? to = arguments.Optional(2, "end") is { } end ? JinjaValues.ToInteger(end) : null;
        start = from is null ? 0 : from < 0 ? Math.Max(0, from.Value + text.CountCharacters()) : from.Value;
        return (JinjaText)JinjaAccess.Slice(context, text, from, to, null)!;
    }

    private static JinjaList Partition(JinjaContext context, JinjaText text, JinjaText separator, bool last)
    {
        context.Budget.ChargeSearch(text.Length, separator.Length);
        if (separator.Length == 0)
            throw new ChatTemplateException("The chat template splits a string at nothing.");
        int at = last ? text.Text.LastIndexOf(separator.Text, StringComparison.Ordinal) : text.Text.IndexOf(separator.Text, StringComparison.Ordinal);
        object?[] parts = at >= 0 ? [text.Slice(0, at), text.Slice(at, separator.Length), text.Slice(at + separator.Length, text.Length - at - separator.Length)]
            : last ? [JinjaText.Empty, JinjaText.Empty, text]
            : [text, JinjaText.Empty, JinjaText.Empty];
        return new JinjaList(parts, JinjaListKind.Tuple);
    }

    private static JinjaText Join(JinjaContext context, IReadOnlyList<object?> items, JinjaText separator) => items.All(item => item is JinjaText)
        ? JinjaStrings.Join(context, items, separator)
        : throw new ChatTemplateException("The chat template joins what is no string.");

    private static bool All(JinjaContext context, JinjaText text, Func<Rune, bool> test)
    {
        context.Budget.Charge(text.Length);
        if (text.Length == 0)
            return false;
        foreach (Rune rune in text.Text.EnumerateRunes())
        {
            if (!test(rune))
                return false;
        }

        return true;
    }

    private static long Most(JinjaArguments arguments, int index, string name) =>
        arguments.Optional(index, name) is { } most && JinjaValues.ToInteger(most) is >= 0 and var count ? count : long.MaxValue;

    private static string Fill(JinjaArguments arguments) => arguments.Has(1, "fillchar")
        ? arguments.Text(1, "fillchar") is var fill && fill.CountCharacters() == 1 ? fill.Text : throw new ChatTemplateException("The chat template fills a string up with more than one character.")
        : " ";

    private static string? Characters(JinjaArguments arguments) => arguments.Optional(0, "chars") is null ? null : arguments.Text(0, "chars").Text;
}
