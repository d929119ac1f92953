using System.Text.RegularExpressions;

namespace KwaaiNet.Architecture.Tests.Sources;

/// <summary>What one C# file declares, and the names it mentions.</summary>
internal sealed partial class SourceFile
{
    private static readonly HashSet<string> s_kinds = ["class", "struct", "interface", "enum", "record", "delegate"];

    // After these a name is an expression or a type; after any other name it is what is being declared.
    private static readonly HashSet<string> s_beforeType =
    [
        "abstract", "as", "async", "await", "base", "by", "case", "const", "else", "event", "explicit", "extern", "file", "fixed", "foreach", "goto", "if", "implicit",
        "in", "init", "internal", "is", "join", "let", "lock", "new", "not", "and", "or", "on", "operator", "out", "override", "params", "partial", "private", "protected",
        "public", "readonly", "ref", "required", "return", "scoped", "sealed", "select", "sizeof", "stackalloc", "static", "switch", "throw", "typeof", "unsafe", "using",
        "virtual", "volatile", "when", "where", "while", "with", "yield",
    ];

    private readonly List<SourceToken> _tokens;

    public SourceFile(string path, string text)
    {
        Path = path;
        _tokens = SourceTokens.Of(text);
        Comments = [.. Comment().Matches(text).SelectMany(comment => Word().Matches(comment.Value)).Select(word => word.Value)];
        int at = 0;
        while (at < _tokens.Count) at = ReadHead(at);
        ReadMentions();
    }

    /// <summary>Path in the repository, with '/'.</summary>
    public string Path { get; }

    public string Name => System.IO.Path.GetFileName(Path);

    /// <summary>Folder, with '.' for '/': what the namespace has to be.</summary>
    public string Folder => System.IO.Path.GetDirectoryName(Path)!.Replace('\\', '/').Replace('/', '.');

    /// <summary>The namespace; empty for top-level statements.</summary>
    public string Namespace { get; private set; } = "";

    /// <summary>Types of the namespace itself: not nested ones, and none that only this file sees.</summary>
    public List<string> Types { get; } = [];

    /// <summary>Namespaces it uses; those of <c>global using</c> apart.</summary>
    public List<string> Usings { get; } = [];

    public List<string> GlobalUsings { get; } = [];

    /// <summary>Types whose members it uses by <c>using static</c>, and what its aliases stand for.</summary>
    public List<string> UsedTypes { get; } = [];

    /// <summary>Aliases and what each stands for.</summary>
    public Dictionary<string, string> Aliases { get; } = [];

    /// <summary>Dotted names in code, from their first part on: <c>Sampler</c>, <c>Gguf.GgufFile.Open</c>.</summary>
    public HashSet<string> Mentions { get; } = [];

    /// <summary>Words in comments: documentation may need a using too.</summary>
    public HashSet<string> Comments { get; }

    // Usings, namespace and the declarations of the namespace; bodies are passed over.
    private int ReadHead(int at)
    {
        string text = _tokens[at].Text;
        if (text == "using" && Text(at + 1) != "(" && TryReadUsing(at, out int end)) return end;

        if (text == "namespace")
        {
            Namespace = ReadDotted(at + 1, out int after);
            return after + 1; // ';', or the '{' around everything
        }

        if (s_kinds.Contains(text) && Text(at - 1) is not (":" or ",") && TryReadType(at, out int body)) return body;

        return text is "{" or "(" or "[" ? Closing(at) : at + 1;
    }

    private bool TryReadUsing(int at, out int end)
    {
        bool isGlobal = Text(at - 1) == "global";
        end = at + 1;
        bool isStatic = Text(end) == "static";
        if (isStatic) end++;
        string? alias = Text(end + 1) == "=" ? Text(end) : null;
        if (alias is not null) end += 2;
        string target = ReadDotted(end, out end);
        while (end < _tokens.Count && _tokens[end].Text != ";") end++; // an alias' type arguments
        for (int i = at; i < end; i++) _tokens[i] = new SourceToken("", IsName: false);
        if (target.Length == 0) return true; // of a tuple
        if (alias is not null) Aliases[alias] = target;
        if (isStatic || alias is not null) UsedTypes.Add(target);
        else (isGlobal ? GlobalUsings : Usings).Add(target);
        return true;
    }

    private bool TryReadType(int at, out int body)
    {
        body = at + 1;
        if (!_tokens[at + 1].IsName) return false;

        string kind = _tokens[at].Text;
        int name = at + 1;
        if (kind == "record" && Text(name) is "struct" or "class") name++;
        if (kind == "delegate")
        {
            // delegate Result Name<T>(…): the name before the parenthesis, or before its type parameters
            while (name + 1 < _tokens.Count && Text(name + 1) != "(") name++;
            for (int depth = Text(name) == ">" ? 1 : 0; depth > 0; depth += Text(name) switch { ">" => 1, "<" => -1, _ => 0 }) name--;
            if (Text(name) == "<") name--;
        }

        bool ofThisFile = false;
        for (int i = at - 1; i >= 0 && _tokens[i].IsName; i--) ofThisFile |= _tokens[i].Text == "file";
        if (!ofThisFile) Types.Add(_tokens[name].Text);
        body = name + 1;
        while (body < _tokens.Count && _tokens[body].Text is not ("{" or ";")) body++;
        if (Text(body) == "{") body = Closing(body);
        return true;
    }

    private void ReadMentions()
    {
        for (int at = 0; at < _tokens.Count; at++)
        {
            if (!_tokens[at].IsName || Text(at - 1) is "." or "namespace") continue;

            string chain = ReadDotted(at, out int end);
            if (chain.Contains('.', StringComparison.Ordinal) || MayBeType(at)) Mentions.Add(chain);
            at = end - 1;
        }
    }

    // Names of properties, arguments and methods are often those of types elsewhere.
    private bool MayBeType(int at)
    {
        string before = Text(at - 1);
        string after = Text(at + 1);
        bool isDeclared = before is ">" or "]" or "?" or "*" || (at > 0 && _tokens[at - 1].IsName && !s_beforeType.Contains(before) && !s_kinds.Contains(before));
        return after switch
        {
            "=" => false,
            ":" => before is not ("(" or "," or "{"),
            "{" or ";" or "=>" or "," or ")" => !isDeclared,
            "(" => before is "new" or ":" or "," or "[" or "is" or "case" or "not" or "or" or "and" || s_kinds.Contains(before),
            _ => true,
        };
    }

    private string ReadDotted(int at, out int end)
    {
        List<string> parts = [];
        if (Text(at) == "global" && Text(at + 1) == "::") at += 2;
        end = at;
        while (end < _tokens.Count && _tokens[end].IsName)
        {
            parts.Add(_tokens[end++].Text);
            if (Text(end) is not ("." or "::") || end + 1 >= _tokens.Count || !_tokens[end + 1].IsName) break;
            end++;
        }

        return string.Join('.', parts);
    }

    // One past the bracket that closes the one at a place.
    private int Closing(int at)
    {
        int depth = 0;
        for (; at < _tokens.Count; at++)
        {
            if (_tokens[at].Text is "{" or "(" or "[") depth++;
            else if (_tokens[at].Text is "}" or ")" or "]" && --depth == 0) return at + 1;
        }

        return at;
    }

    private string Text(int at) => at >= 0 && at < _tokens.Count ? _tokens[at].Text : "";

    [GeneratedRegex(@"//[^\n]*")]
    private static partial Regex Comment();

    [GeneratedRegex(@"[A-Za-z_]\w*")]
    private static partial Regex Word();
}
