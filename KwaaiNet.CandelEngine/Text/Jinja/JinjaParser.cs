using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;

namespace KwaaiNet.CandelEngine.Text.Jinja;

/// <summary>Makes statements and expressions of tokens: recursive descent, its depth limited.</summary>
internal sealed partial class JinjaParser
{
    private readonly List<JinjaToken> _tokens;
    private readonly string _source;
    private int _at;
    private int _depth;
    private int _loops;
    private bool _mayLack;
    private HashSet<string> _names = new(StringComparer.Ordinal);

    private JinjaParser((List<JinjaToken> Tokens, string Source) read) => (_tokens, _source) = read;

    private JinjaToken Current => _tokens[_at];

    /// <exception cref="ChatTemplateException">The source is not a template of this language.</exception>
    public static JinjaStatement Parse(string source)
    {
        JinjaParser parser = new(JinjaLexer.Read(source));
        return parser.ParseBody();
    }

    /// <summary>Statements up to a block tag of one of these names, or the end of the source when there are none.</summary>
    private SequenceStatement ParseBody(params string[] ends)
    {
        Enter();
        List<JinjaStatement> statements = [];
        while (true)
        {
            JinjaToken token = Current;
            switch (token.Kind)
            {
                case JinjaTokenKind.Data:
                    _at++;
                    statements.Add(new DataStatement(token.Text));
                    continue;
                case JinjaTokenKind.VariableBegin:
                    _at++;
                    statements.Add(new OutputStatement(ParseTuple()));
                    Expect(JinjaTokenKind.VariableEnd, "}}");
                    continue;
                case JinjaTokenKind.BlockBegin when Array.IndexOf(ends, _tokens[_at + 1].Text) < 0:
                    _at++;
                    statements.Add(ParseStatement());
                    continue;
                case JinjaTokenKind.End when ends.Length > 0:
                    throw Error($"'{ends[^1]}' is missing");
                default:
                    _depth--;
                    return new SequenceStatement(statements);
            }
        }
    }

    private JinjaStatement ParseStatement()
    {
        JinjaToken keyword = Expect(JinjaTokenKind.Name, "a statement");
        switch (keyword.Text)
        {
            case "if":
                // What is used under a condition may be lacking: a template asks first whether it is there.
                bool mayLack = _mayLack;
                _mayLack = true;
                JinjaStatement conditional = ParseIf();
                _mayLack = mayLack;
                return conditional;
            case "for":
                return ParseFor();
            case "set":
                return ParseSet();
            case "break" or "continue" when _loops > 0:
                EndBlock();
                return new FlowStatement(keyword.Text == "break" ? JinjaFlow.Break : JinjaFlow.Continue);
            case "macro":
                return ParseMacro();
            case "call":
                return ParseCall();
            case "filter":
                return ParseFilterBlock();
            case "with":
                return ParseWith();
            case "generation":
                // Marks the assistant's words for training; nothing is rendered for it.
                return ParseGroup("endgeneration");
            case "block":
                // Without a template to extend, a block is what it holds.
                Expect(JinjaTokenKind.Name, "a name");
                TakeName("scoped");
                TakeName("required");
                return ParseGroup("endblock");
            default:
                throw JinjaLexer.Error(_source, keyword.At, $"the statement '{keyword.Text}' is not known here");
        }
    }

    private IfStatement ParseIf()
    {
        List<(JinjaExpression?, JinjaStatement)> branches = [];
        JinjaExpression? condition = ParseExpression();
        while (true)
        {
            EndBlock();
            SequenceStatement body = ParseBody("elif", "else", "endif");
            branches.Add((condition, body));
            _at++;
            string keyword = Expect(JinjaTokenKind.Name, "endif").Text;
            if (keyword == "endif")
            {
                EndBlock();
                return new IfStatement(branches);
            }

            if (condition is null)
                throw Error($"'{keyword}' after 'else'");
            condition = keyword == "elif" ? ParseExpression() : null;
        }
    }

    /// <summary>Takes <c>{% keyword %}</c>.</summary>
    private void EndTag(string keyword, bool mayBeNamed = false)
    {
        Expect(JinjaTokenKind.BlockBegin, "{%");
        if (!TakeName(keyword))
            throw Error($"'{keyword}' is missing");
        if (mayBeNamed && Current.Kind == JinjaTokenKind.Name)
            _at++;
        EndBlock();
    }

    private void EndBlock() => Expect(JinjaTokenKind.BlockEnd, "%}");

    private bool TakeOperator(string symbol)
    {
        if (Current.Kind != JinjaTokenKind.Operator || Current.Text != symbol)
            return false;
        _at++;
        return true;
    }

    private bool TakeOperator([NotNullWhen(true)] out string? symbol, params ReadOnlySpan<string> symbols)
    {
        foreach (string candidate in symbols)
        {
            if (TakeOperator(candidate))
            {
                symbol = candidate;
                return true;
            }
        }

        symbol = null;
        return false;
    }

    private bool TakeName(string name)
    {
        if (!IsName(name))
            return false;
        _at++;
        return true;
    }

    private bool IsName(string name) => Current.Kind == JinjaTokenKind.Name && Current.Text == name;

    private void ExpectOperator(string symbol)
    {
        if (!TakeOperator(symbol))
            throw Error($"'{symbol}' is missing");
    }

    private JinjaToken Expect(JinjaTokenKind kind, string what)
    {
        if (Current.Kind != kind)
            throw Error($"'{what}' is missing");
        return _tokens[_at++];
    }

    private void Enter()
    {
        if (++_depth > JinjaBudget.MaximumDepth)
            throw Error($"it nests more than {JinjaBudget.MaximumDepth} deep");
        RuntimeHelpers.EnsureSufficientExecutionStack();
    }

    private ChatTemplateException Error(string problem) => JinjaLexer.Error(_source, Current.At, $"{problem}{(Current.Text.Length > 0 ? $" before '{Current.Text}'" : "")}");
}
