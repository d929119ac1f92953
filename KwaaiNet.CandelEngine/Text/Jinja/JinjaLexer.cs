using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;

namespace KwaaiNet.CandelEngine.Text.Jinja;

// A template is text with tags in it:
//
//   text {{ expression }} text {% statement %} text {# comment #}
//
// A '-' inside a tag's brace takes away all white space on that side; a '+' keeps what the two options below would take.
// As Hugging Face's libraries render chat templates, with trim_blocks (the line end after a {% %} or {# #} goes) and
// lstrip_blocks (spaces and tabs between a line's start and a {% or {# go). One line end at the source's end goes, too.

/// <summary>Cuts a template's source into tokens.</summary>
internal sealed partial class JinjaLexer
{
    private static readonly string[] s_operators =
        ["**", "//", "==", "!=", "<=", ">=", "+", "-", "*", "/", "%", "~", "<", ">", "=", "(", ")", "[", "]", "{", "}", ",", ".", ":", "|"];

    private readonly string _source;
    private readonly List<JinjaToken> _tokens = [];
    private int _at;
    private int _start;

    private JinjaLexer(string source)
    {
        source = source.ReplaceLineEndings("\n");
        _source = source.EndsWith('\n') ? source[..^1] : source;
    }

    /// <exception cref="ChatTemplateException">A tag is not closed, or holds a character the language does not have.</exception>
    public static (List<JinjaToken> Tokens, string Source) Read(string source)
    {
        JinjaLexer lexer = new(source);
        lexer.ReadAll();
        return (lexer._tokens, lexer._source);
    }

    /// <summary>The error of a template that cannot be read, with its line and column, both from 1.</summary>
    /// <param name="source">The source that was read.</param>
    /// <param name="at">Where in it.</param>
    /// <param name="problem">What is wrong there.</param>
    public static ChatTemplateException Error(string source, int at, string problem)
    {
        ReadOnlySpan<char> before = source.AsSpan(0, Math.Min(at, source.Length));
        return new ChatTemplateException($"The chat template, line {before.Count('\n') + 1}, column {before.Length - before.LastIndexOf('\n')}: {problem}.");
    }

    private void ReadAll()
    {
        bool stripStart = false;
        bool trimLineEnd = false;
        while (_at < _source.Length)
        {
            int tag = FindTag(_at);
            bool stripEnd = tag < _source.Length && CharAt(tag + 2) == '-';
            bool keepIndent = tag < _source.Length && (CharAt(tag + 1) == '{' || CharAt(tag + 2) == '+');
            AddData(_source[_at..tag], stripStart, trimLineEnd, stripEnd, tag < _source.Length && !keepIndent);
            if (tag == _source.Length)
            {
                _at = tag;
                break;
            }

            _start = tag;
            char kind = _source[tag + 1];
            if (kind == '%' && RawBegin().Match(_source, tag) is { Success: true } begin)
            {
                (stripStart, bool keep) = ReadRaw(begin);
                trimLineEnd = !keep;
                continue;
            }

            _at = tag + 2 + (CharAt(tag + 2) is '-' or '+' ? 1 : 0);
            (stripStart, bool keepLineEnd) = kind == '#' ? SkipComment() : ReadTag(kind == '{');
            trimLineEnd = kind != '{' && !keepLineEnd;
        }

        _start = _at;
        Add(JinjaTokenKind.End, "");
    }

    /// <summary>Takes a raw block: its body is text, with the white space rules of the tags around it.</summary>
    private (bool Strip, bool Keep) ReadRaw(Match begin)
    {
        Match end = RawEnd().Match(_source, begin.Index + begin.Length);
        if (!end.Success)
            throw Error("a raw block is not closed");
        string open = end.Groups[1].Value;
        AddData(
            _source[(begin.Index + begin.Length)..end.Index],
            stripStart: begin.Groups[1].Value == "-",
            trimLineEnd: false,
            stripEnd: open == "-",
            stripIndent: open != "+");
        _at = end.Index + end.Length;
        return (end.Groups[2].Value == "-", end.Groups[2].Value == "+");
    }

    [GeneratedRegex(@"\G\{%[-+]?\s*raw\s*([-+]?)%\}")]
    private static partial Regex RawBegin();

    [GeneratedRegex(@"\{%([-+]?)\s*endraw\s*([-+]?)%\}")]
    private static partial Regex RawEnd();

    private int FindTag(int from)
    {
        for (int at = from; (at = _source.IndexOf('{', at)) >= 0; at++)
        {
            if (CharAt(at + 1) is '{' or '%' or '#')
                return at;
        }

        return _source.Length;
    }

    private char CharAt(int index) => index < _source.Length ? _source[index] : '\0';

    private void AddData(string data, bool stripStart, bool trimLineEnd, bool stripEnd, bool stripIndent)
    {
        bool startsLine = _at == 0;
        if (stripStart)
        {
            data = data.TrimStart();
        }
        else if (trimLineEnd && data.StartsWith('\n'))
        {
            data = data[1..];
            startsLine = true;
        }

        if (stripEnd)
        {
            data = data.TrimEnd();
        }
        else if (stripIndent)
        {
            int lineStart = data.LastIndexOf('\n') + 1;
            if ((lineStart > 0 || startsLine) && data.AsSpan(lineStart).TrimStart(" \t").IsEmpty)
                data = data[..lineStart];
        }

        if (data.Length > 0)
            Add(JinjaTokenKind.Data, data);
    }

    private (bool Strip, bool Keep) SkipComment()
    {
        int end = _source.IndexOf("#}", _at, StringComparison.Ordinal);
        if (end < 0)
            throw Error("a comment is not closed");
        char before = end > _at ? _source[end - 1] : '\0';
        _at = end + 2;
        return (before == '-', before == '+');
    }

    private (bool Strip, bool Keep) ReadTag(bool variable)
    {
        Add(variable ? JinjaTokenKind.VariableBegin : JinjaTokenKind.BlockBegin, "");
        string close = variable ? "}}" : "%}";
        int open = 0;
        while (true)
        {
            SkipSpace();
            if (_at >= _source.Length)
                throw Error("a tag is not closed");
            _start = _at;
            bool signed = CharAt(_at) is '-' or '+';
            if (open == 0 && string.CompareOrdinal(_source, _at + (signed ? 1 : 0), close, 0, 2) == 0)
            {
                char sign = signed ? CharAt(_at) : '\0';
                _at += signed ? 3 : 2;
                Add(variable ? JinjaTokenKind.VariableEnd : JinjaTokenKind.BlockEnd, "");
                return (sign == '-', sign == '+');
            }

            char c = _source[_at];
            if (c is '"' or '\'')
                ReadString(c);
            else if (char.IsAsciiDigit(c))
                ReadNumber();
            else if (char.IsLetter(c) || c == '_')
                ReadName();
            else
                open += ReadOperator();
        }
    }

    private void SkipSpace()
    {
        while (char.IsWhiteSpace(CharAt(_at)))
            _at++;
    }

    private void ReadName()
    {
        int start = _at;
        while (char.IsLetterOrDigit(CharAt(_at)) || CharAt(_at) == '_')
            _at++;
        Add(JinjaTokenKind.Name, _source[start.._at]);
    }

    private void ReadNumber()
    {
        int start = _at;
        if (CharAt(_at) == '0' && CharAt(_at + 1) is 'x' or 'X' or 'o' or 'O' or 'b' or 'B' && char.IsAsciiHexDigit(CharAt(_at + 2)))
        {
            for (_at += 2; char.IsAsciiHexDigit(CharAt(_at)) || CharAt(_at) == '_';)
                _at++;
            Add(JinjaTokenKind.Integer, _source[start.._at]);
            return;
        }

        SkipDigits();
        bool real = false;
        if (CharAt(_at) == '.' && char.IsAsciiDigit(CharAt(_at + 1)))
        {
            real = true;
            _at++;
            SkipDigits();
        }

        if (CharAt(_at) is 'e' or 'E' && (char.IsAsciiDigit(CharAt(_at + 1)) || (CharAt(_at + 1) is '+' or '-' && char.IsAsciiDigit(CharAt(_at + 2)))))
        {
            real = true;
            _at += 2;
            SkipDigits();
        }

        Add(real ? JinjaTokenKind.Float : JinjaTokenKind.Integer, _source[start.._at].Replace("_", ""));
    }

    private void SkipDigits()
    {
        while (char.IsAsciiDigit(CharAt(_at)) || CharAt(_at) == '_')
            _at++;
    }

    private int ReadOperator()
    {
        foreach (string symbol in s_operators)
        {
            if (string.CompareOrdinal(_source, _at, symbol, 0, symbol.Length) != 0)
                continue;
            _at += symbol.Length;
            Add(JinjaTokenKind.Operator, symbol);
            return symbol is "{" or "[" or "(" ? 1 : symbol is "}" or "]" or ")" ? -1 : 0;
        }

        throw Error($"'{_source[_at]}' is no part of an expression");
    }

    private void ReadString(char quote)
    {
        StringBuilder text = new();
        for (_at++; CharAt(_at) != quote; _at++)
        {
            if (_at >= _source.Length)
                throw Error("a string is not closed");
            char c = _source[_at];
            if (c == '\\')
                ReadEscape(text);
            else
                text.Append(c);
        }

        _at++;
        Add(JinjaTokenKind.String, text.ToString());
    }

    /// <summary>Python's escapes; one that it does not know stays as written.</summary>
    private void ReadEscape(StringBuilder text)
    {
        char c = CharAt(++_at);
        int digits = c switch { 'x' => 2, 'u' => 4, 'U' => 8, _ => 0 };
        if (digits > 0)
        {
            if (_at + digits >= _source.Length
                || !int.TryParse(_source.AsSpan(_at + 1, digits), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out int code)
                || code is < 0 or > 0x10FFFF)
            {
                throw Error($"'\\{c}' needs {digits} hexadecimal digits");
            }

            _at += digits;
            text.Append(Rune.TryCreate(code, out Rune rune) ? rune.ToString() : ((char)code).ToString());
            return;
        }

        _ = c switch
        {
            'n' => text.Append('\n'),
            't' => text.Append('\t'),
            'r' => text.Append('\r'),
            'b' => text.Append('\b'),
            'f' => text.Append('\f'),
            'v' => text.Append('\v'),
            >= '0' and <= '7' => text.Append(ReadOctal()),
            '\n' => text,
            '\\' or '\'' or '"' => text.Append(c),
            _ => text.Append('\\').Append(c),
        };
    }

    private char ReadOctal()
    {
        int code = 0;
        int end = _at + 3;
        while (_at < end && CharAt(_at) is >= '0' and <= '7')
            code = (code * 8) + CharAt(_at++) - '0';
        _at--;
        return (char)code;
    }

    private void Add(JinjaTokenKind kind, string text) => _tokens.Add(new JinjaToken(kind, text, _start));

    private ChatTemplateException Error(string problem) => Error(_source, _start, problem);
}
