using System.Text;

namespace KwaaiNet.CandelEngine.Text.HuggingFace;

/// <summary>Writes an expression of Oniguruma, which the tokenizers library uses, as one of .NET that matches the same.</summary>
/// <remarks>
/// The two agree in what tokenizers use, but for: possessive quantifiers (<c>x?+</c> is <c>(?&gt;x?)</c>); intersection with a negated class
/// (<c>[ab&amp;&amp;[^c]]</c> is <c>[ab-[c]]</c>); <c>\p{Han}</c>, which .NET does not name. What else .NET has not, or reads otherwise, is refused.
/// Syntax: https://github.com/kkos/oniguruma/blob/master/doc/RE
/// </remarks>
internal static class OnigurumaExpression
{
    // The script's characters below U+10000 (Unicode's Scripts.txt); those beyond are seen as a letter of no script (CategoryText).
    private const string Han = @"\u2E80-\u2E99\u2E9B-\u2EF3\u2F00-\u2FD5\u3005\u3007\u3021-\u3029\u3038-\u303B\u3400-\u4DBF\u4E00-\u9FFF\uF900-\uFA6D\uFA70-\uFAD9";

    private const int MaximumLength = 1 << 14;

    /// <exception cref="NotSupportedException">The expression uses what has no match in .NET.</exception>
    public static string ToDotNet(string source)
    {
        if (source.Length > MaximumLength)
            throw new NotSupportedException($"It has {source.Length} characters; at most {MaximumLength} are read.");
        StringBuilder result = new(source.Length);
        Stack<int> groups = new();
        int atom = -1;
        for (int i = 0; i < source.Length;)
        {
            char c = source[i];
            if (c is '?' or '*' or '+' || (c == '{' && IsInterval(source, i)))
            {
                int end = c == '{' ? source.IndexOf('}', i) + 1 : i + 1;
                result.Append(source, i, end - i);
                i = end;
                if (i < source.Length && source[i] == '?')
                {
                    result.Append('?');
                    i++;
                }
                else if (i < source.Length && source[i] == '+' && c != '{')
                {
                    if (atom < 0)
                        throw new NotSupportedException("It repeats nothing.");
                    result.Insert(atom, "(?>").Append(')');
                    i++;
                }

                continue;
            }

            switch (c)
            {
                case '(':
                    groups.Push(result.Length);
                    result.Append(c);
                    i++;
                    // The sign that says what kind of group it is repeats nothing.
                    if (i < source.Length && source[i] == '?')
                    {
                        result.Append('?');
                        i++;
                    }

                    continue;
                case ')':
                    result.Append(c);
                    i++;
                    atom = groups.Count > 0 ? groups.Pop() : -1;
                    continue;
                case '[':
                    atom = result.Length;
                    i = AppendClass(source, i, result);
                    continue;
                case '\\':
                    atom = result.Length;
                    i = AppendEscape(source, i, result, inClass: false);
                    continue;
                default:
                    atom = result.Length;
                    result.Append(c);
                    i++;
                    continue;
            }
        }

        return result.ToString();
    }

    private static bool IsInterval(string source, int at)
    {
        int end = source.IndexOf('}', at);
        return end > at + 1 && source.AsSpan(at + 1, end - at - 1).IndexOfAnyExcept("0123456789,") < 0;
    }

    private static int AppendClass(string source, int at, StringBuilder result)
    {
        result.Append('[');
        int i = at + 1;
        if (i < source.Length && source[i] == '^')
        {
            result.Append('^');
            i++;
        }

        for (bool first = true; i < source.Length; first = false)
        {
            char c = source[i];
            if (c == ']' && !first)
            {
                result.Append(']');
                return i + 1;
            }

            if (c == '&' && source.AsSpan(i).StartsWith("&&[^", StringComparison.Ordinal))
            {
                // [A&&[^B]] is [A-[B]]; the inner class ends the outer one in both.
                result.Append("-[");
                int end = AppendMembers(source, i + 4, result);
                if (end >= source.Length || source[end] != ']')
                    throw new NotSupportedException("A class goes on after an intersection.");
                result.Append("]]");
                return end + 1;
            }

            if (c == '[' || source.AsSpan(i).StartsWith("&&", StringComparison.Ordinal))
                throw new NotSupportedException("It has a class in a class.");
            i = AppendMember(source, i, result);
        }

        throw new NotSupportedException("A class does not end.");
    }

    /// <summary>Appends a class's members; returns where it goes on after the class's end.</summary>
    private static int AppendMembers(string source, int at, StringBuilder result)
    {
        for (int i = at; i < source.Length;)
        {
            if (source[i] == ']')
                return i + 1;
            if (source[i] == '[' || source.AsSpan(i).StartsWith("&&", StringComparison.Ordinal))
                throw new NotSupportedException("It has a class in a class.");
            i = AppendMember(source, i, result);
        }

        throw new NotSupportedException("A class does not end.");
    }

    private static int AppendMember(string source, int at, StringBuilder result)
    {
        if (source[at] == '\\')
            return AppendEscape(source, at, result, inClass: true);
        if (char.IsSurrogate(source[at]))
            throw new NotSupportedException("A class names characters beyond U+FFFF.");
        result.Append(source[at]);
        return at + 1;
    }

    private static int AppendEscape(string source, int at, StringBuilder result, bool inClass)
    {
        if (at + 1 == source.Length)
            throw new NotSupportedException("It ends in the middle of an escape.");
        char c = source[at + 1];
        if (c is 'p' or 'P' && at + 2 < source.Length && source[at + 2] == '{')
        {
            int end = source.IndexOf('}', at);
            if (end < 0)
                throw new NotSupportedException("A property does not end.");
            string name = source[(at + 3)..end];
            bool negated = c == 'P' ^ name.StartsWith('^');
            name = name.TrimStart('^');
            if (name is "Han" or "Script=Han")
            {
                if (inClass && negated)
                    throw new NotSupportedException("It has a negated script in a class.");
                result.Append(inClass ? Han : negated ? $"[^{Han}]" : $"[{Han}]");
            }
            else
            {
                result.Append(negated ? @"\P{" : @"\p{").Append(name).Append('}');
            }

            return end + 1;
        }

        // \x{..} names a code point; .NET has two digits only.
        if (c == 'x' && at + 2 < source.Length && source[at + 2] == '{')
        {
            int end = source.IndexOf('}', at);
            if (end < 0 || !int.TryParse(source.AsSpan(at + 3, end - at - 3), System.Globalization.NumberStyles.AllowHexSpecifier, null, out int code) || code > char.MaxValue)
                throw new NotSupportedException("It names a character that is not below U+10000.");
            result.Append(@"\u").Append(code.ToString("X4", System.Globalization.CultureInfo.InvariantCulture));
            return end + 1;
        }

        // Of letters, only what both read alike; in a class \b is a backspace to one and nothing to the other.
        if (char.IsAsciiLetterOrDigit(c) && !"dDwWsSnrtfvaeuxpP0".Contains(c) && (inClass || !"bBAzZG".Contains(c)))
            throw new NotSupportedException($"It uses '\\{c}'.");
        result.Append('\\').Append(c);
        return at + 2;
    }
}
