namespace KwaaiNet.Architecture.Tests.Sources;

/// <summary>Cuts C# into identifiers and signs. Comments, directives, characters and the text of strings are left out; what stands in the holes of an interpolated string is code, and stays.</summary>
internal sealed class SourceTokens
{
    private readonly string _text;
    private readonly List<SourceToken> _tokens = [];
    private int _at;

    private SourceTokens(string text) => _text = text;

    /// <summary>The tokens, in order. A string becomes one empty token, so that what stands before it and after it is not taken for neighbours.</summary>
    public static List<SourceToken> Of(string text)
    {
        SourceTokens tokens = new(text);
        tokens.ReadCode(holeBraces: 0);
        return tokens._tokens;
    }

    // Reads to the end, or to the braces that close a hole.
    private void ReadCode(int holeBraces)
    {
        int depth = 0;
        while (_at < _text.Length)
        {
            char c = _text[_at];
            // Every bracket counts as depth, so a ':' at depth 0 begins the hole's format.
            if (holeBraces > 0 && depth == 0 && (c == '}' || (c == ':' && Next(1) != ':')))
            {
                SkipFormat(holeBraces);
                return;
            }

            if (c == '/' && Next(1) == '/') SkipLine();
            else if (c == '/' && Next(1) == '*') _at = After("*/", _at + 2);
            else if (c == '#' && StartsLine()) SkipLine();
            else if (c == '\'') SkipCharacter();
            else if (c is '"' or '$' or '@') ReadString();
            else if (char.IsLetter(c) || c == '_') ReadIdentifier();
            else if (char.IsDigit(c)) SkipNumber();
            else
            {
                depth += c switch { '{' or '(' or '[' => 1, '}' or ')' or ']' => -1, _ => 0 };
                ReadSign(c);
            }
        }
    }

    private void SkipFormat(int braces)
    {
        while (_at < _text.Length && _text[_at] != '}') _at++;
        _at += braces;
    }

    private void ReadString()
    {
        int at = _at;
        int dollars = 0;
        bool verbatim = false;
        for (; at < _text.Length && _text[at] is '$' or '@'; at++)
        {
            if (_text[at] == '$') dollars++;
            else verbatim = true;
        }

        if (at >= _text.Length || _text[at] != '"')
        {
            _at = at; // '@class' is an identifier
            return;
        }

        int quotes = 0;
        while (at + quotes < _text.Length && _text[at + quotes] == '"') quotes++;
        _tokens.Add(new SourceToken("\"", IsName: false));
        if (quotes >= 3 && !verbatim)
        {
            _at = at + quotes;
            ReadText(new string('"', quotes), escapes: false, doubled: false, dollars);
        }
        else
        {
            _at = at + 1;
            ReadText("\"", escapes: !verbatim, doubled: verbatim, dollars);
        }
    }

    private void ReadText(string end, bool escapes, bool doubled, int holeBraces)
    {
        while (_at < _text.Length)
        {
            char c = _text[_at];
            if (escapes && c == '\\')
            {
                _at += 2;
            }
            else if (doubled && c == '"' && Next(1) == '"')
            {
                _at += 2;
            }
            else if (string.CompareOrdinal(_text, _at, end, 0, end.Length) == 0)
            {
                _at += end.Length;
                return;
            }
            else if (holeBraces > 0 && c == '{')
            {
                int braces = 0;
                while (Next(braces) == '{') braces++;
                _at += braces;
                // In "{{" the brace itself is meant; a raw string has one only where there are fewer than open a hole.
                bool isHole = end.Length == 1 ? braces % 2 == 1 : braces >= holeBraces;
                if (isHole)
                {
                    _tokens.Add(new SourceToken("(", IsName: false));
                    ReadCode(end.Length == 1 ? 1 : holeBraces);
                    _tokens.Add(new SourceToken(")", IsName: false));
                }
            }
            else
            {
                _at++;
            }
        }
    }

    private void ReadIdentifier()
    {
        int start = _at;
        while (_at < _text.Length && (char.IsLetterOrDigit(_text[_at]) || _text[_at] == '_')) _at++;
        _tokens.Add(new SourceToken(_text[start.._at], IsName: true));
    }

    private void ReadSign(char c)
    {
        _at++;
        if (char.IsWhiteSpace(c)) return;

        string sign = (c, Next(0)) switch
        {
            (':', ':') => "::",
            ('=', '=') => "==",
            ('=', '>') => "=>",
            ('&', '&') => "&&",
            ('|', '|') => "||",
            ('.', '.') => "..",
            _ => c.ToString(),
        };
        _at += sign.Length - 1;
        _tokens.Add(new SourceToken(sign, IsName: false));
    }

    private void SkipNumber()
    {
        while (_at < _text.Length && (char.IsLetterOrDigit(_text[_at]) || _text[_at] == '_' || (_text[_at] == '.' && char.IsDigit(Next(1))))) _at++;
        _tokens.Add(new SourceToken("0", IsName: false));
    }

    private void SkipCharacter()
    {
        for (_at++; _at < _text.Length && _text[_at] != '\''; _at++)
        {
            if (_text[_at] == '\\') _at++;
        }

        _at++;
        _tokens.Add(new SourceToken("'", IsName: false));
    }

    private void SkipLine()
    {
        int end = _text.IndexOf('\n', _at);
        _at = end < 0 ? _text.Length : end;
    }

    private bool StartsLine()
    {
        int start = _text.LastIndexOf('\n', _at) + 1;
        return _text.AsSpan(start, _at - start).IsWhiteSpace();
    }

    private int After(string end, int from)
    {
        int found = _text.IndexOf(end, from, StringComparison.Ordinal);
        return found < 0 ? _text.Length : found + end.Length;
    }

    private char Next(int ahead) => _at + ahead < _text.Length ? _text[_at + ahead] : '\0';
}
