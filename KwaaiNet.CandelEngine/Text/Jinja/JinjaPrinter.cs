using System.Globalization;
using System.Text;

namespace KwaaiNet.CandelEngine.Text.Jinja;

/// <summary>Values as Python prints them: <c>str</c> outside, <c>repr</c> inside lists and dictionaries.</summary>
internal static class JinjaPrinter
{
    /// <summary>A value as <c>{{ }}</c> prints it.</summary>
    public static JinjaText ToText(JinjaContext context, object? value)
    {
        if (value is JinjaText text)
            return text;
        JinjaTextBuilder builder = new();
        if (value is not JinjaUndefined)
            Print(context, builder, value);
        return builder.ToText();
    }

    /// <summary>A value as Python's <c>repr</c> writes it.</summary>
    public static JinjaText ToSource(JinjaContext context, object? value)
    {
        JinjaTextBuilder builder = new();
        Print(context, builder, value);
        return builder.ToText();
    }

    /// <summary>A number as Python prints it: the shortest digits that read back the same.</summary>
    public static string NumberText(double number)
    {
        if (!double.IsFinite(number))
            return double.IsNaN(number) ? "nan" : number > 0 ? "inf" : "-inf";
        string text = number.ToString("R", CultureInfo.InvariantCulture);
        int e = text.IndexOf('E', StringComparison.Ordinal);
        string sign = text[0] == '-' ? "-" : "";
        string mantissa = (e < 0 ? text : text[..e]).TrimStart('-');
        int point = mantissa.IndexOf('.', StringComparison.Ordinal);
        string digits = mantissa.Replace(".", "");
        int exponent = (point < 0 ? digits.Length : point) + (e < 0 ? 0 : int.Parse(text.AsSpan(e + 1), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture));
        string trimmed = digits.TrimStart('0');
        exponent -= digits.Length - trimmed.Length;
        digits = trimmed.TrimEnd('0');
        if (digits.Length == 0)
            return sign + "0.0";
        // Where the decimal point stands decides, as in C's %r: 1e-05 and 1e+16 have exponents.
        if (exponent is > 16 or < -3)
            return $"{sign}{digits[0]}{(digits.Length > 1 ? "." : "")}{digits.AsSpan(1)}e{(exponent - 1 < 0 ? '-' : '+')}{Math.Abs(exponent - 1):00}";
        if (exponent <= 0)
            return $"{sign}0.{new string('0', -exponent)}{digits}";
        return digits.Length <= exponent ? $"{sign}{digits}{new string('0', exponent - digits.Length)}.0" : $"{sign}{digits.AsSpan(0, exponent)}.{digits.AsSpan(exponent)}";
    }

    private static void Print(JinjaContext context, JinjaTextBuilder builder, object? value)
    {
        context.Budget.Enter();
        context.Budget.Charge(1);
        switch (value)
        {
            case null:
                builder.Append("None");
                break;
            case JinjaUndefined:
                builder.Append("Undefined");
                break;
            case bool truth:
                builder.Append(truth ? "True" : "False");
                break;
            case long number:
                builder.Append(number.ToString(CultureInfo.InvariantCulture));
                break;
            case double number:
                builder.Append(NumberText(number));
                break;
            case JinjaText text:
                PrintString(context, builder, text);
                break;
            case JinjaList list:
                PrintList(context, builder, list);
                break;
            case JinjaMap map:
                builder.Append("{");
                for (int i = 0; i < map.Items.Count; i++)
                {
                    builder.Append(i > 0 ? ", " : "");
                    Print(context, builder, map.Items[i].Key);
                    builder.Append(": ");
                    Print(context, builder, map.Items[i].Value);
                }

                builder.Append("}");
                break;
            case JinjaNamespace space:
                JinjaMap values = new();
                foreach ((string name, object? item) in space.Values)
                    values.Set(JinjaText.Trusted(name), item);
                builder.Append("<Namespace ");
                Print(context, builder, values);
                builder.Append(">");
                break;
            case JinjaLoop loop:
                builder.Append(loop.ToString());
                break;
            default:
                throw new ChatTemplateException($"The chat template prints {JinjaValues.TypeName(value)}.");
        }

        context.Budget.Leave();
    }

    private static void PrintList(JinjaContext context, JinjaTextBuilder builder, JinjaList list)
    {
        if (list.Printed is { } printed)
        {
            builder.Append(printed);
            return;
        }

        (string open, string close) = list.Kind switch
        {
            JinjaListKind.Tuple => ("(", list.Items.Count == 1 ? ",)" : ")"),
            JinjaListKind.Keys => ("dict_keys([", "])"),
            JinjaListKind.Values => ("dict_values([", "])"),
            JinjaListKind.Items => ("dict_items([", "])"),
            JinjaListKind.Generator => throw new ChatTemplateException("The chat template prints what a filter goes through, without making a list of it."),
            _ => ("[", "]"),
        };
        builder.Append(open);
        for (int i = 0; i < list.Items.Count; i++)
        {
            builder.Append(i > 0 ? ", " : "");
            Print(context, builder, list.Items[i]);
        }

        builder.Append(close);
    }

    private static void PrintString(JinjaContext context, JinjaTextBuilder builder, JinjaText text)
    {
        context.Budget.Charge(text.Length);
        char quote = text.Text.Contains('\'') && !text.Text.Contains('"') ? '"' : '\'';
        builder.Append(quote.ToString());
        int done = 0;
        for (int at = 0; at < text.Length;)
        {
            bool pair = Rune.TryGetRuneAt(text.Text, at, out Rune rune);
            int length = pair ? rune.Utf16SequenceLength : 1;
            int code = pair ? rune.Value : text.Text[at];
            string? escaped = code switch
            {
                '\\' => "\\\\",
                '\n' => "\\n",
                '\r' => "\\r",
                '\t' => "\\t",
                _ when code == quote => "\\" + quote,
                _ when pair && IsPrintable(rune) => null,
                < 0x100 => $"\\x{code:x2}",
                < 0x10000 => $"\\u{code:x4}",
                _ => $"\\U{code:x8}",
            };
            if (escaped is not null)
            {
                builder.Append(text, done, at - done).Append(escaped, text.UserMarks is { } marks && marks[at]);
                done = at + length;
            }

            at += length;
        }

        builder.Append(text, done, text.Length - done).Append(quote.ToString());
    }

    private static bool IsPrintable(Rune rune) => rune.Value == ' ' || Rune.GetUnicodeCategory(rune) is not (
        UnicodeCategory.Control or UnicodeCategory.Format or UnicodeCategory.Surrogate or UnicodeCategory.PrivateUse or UnicodeCategory.OtherNotAssigned
        or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator or UnicodeCategory.SpaceSeparator);
}
