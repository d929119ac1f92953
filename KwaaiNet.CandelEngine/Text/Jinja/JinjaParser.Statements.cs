namespace KwaaiNet.CandelEngine.Text.Jinja;

internal sealed partial class JinjaParser
{
    private ForStatement ParseFor()
    {
        JinjaTarget target = ParseTarget(withAttributes: false, forbidden: "loop");
        if (!TakeName("in"))
            throw Error("'in' is missing");
        JinjaExpression source = ParseLoopSource();
        JinjaExpression? filter = TakeName("if") ? ParseExpression() : null;
        bool recursive = TakeName("recursive");
        EndBlock();
        _loops++;
        SequenceStatement body = ParseBody("else", "endfor");
        _loops--;
        SequenceStatement? otherwise = null;
        if (_tokens[_at + 1].Text == "else")
        {
            EndTag("else");
            otherwise = ParseBody("endfor");
        }

        EndTag("endfor");
        return new ForStatement(target, source, filter, recursive, body, otherwise);
    }

    /// <summary>A value without a condition, which after it would be the loop's; with commas a tuple.</summary>
    private JinjaExpression ParseLoopSource()
    {
        JinjaExpression first = ParseOr();
        if (!TakeOperator(","))
            return first;
        List<JinjaExpression> items = [first];
        while (Current.Kind != JinjaTokenKind.BlockEnd && !IsName("if") && !IsName("recursive"))
        {
            items.Add(ParseOr());
            if (!TakeOperator(","))
                break;
        }

        return new ListExpression(items, JinjaListKind.Tuple);
    }

    private SetStatement ParseSet()
    {
        JinjaTarget target = ParseTarget(withAttributes: true);
        if (TakeOperator("="))
        {
            JinjaExpression value = ParseTuple();
            EndBlock();
            return new SetStatement(target, value);
        }

        int filtersAt = _at;
        while (Current is { Kind: JinjaTokenKind.Operator, Text: "|" })
            ParseFilter(new ConstantExpression(null));
        EndBlock();
        JinjaExpression body = new BodyExpression(ParseBody("endset"));
        body = ApplyFilters(body, filtersAt, ParseFilter);
        EndTag("endset");
        return new SetStatement(target, body);
    }

    private OutputStatement ParseFilterBlock()
    {
        int filtersAt = _at;
        ParseFilterCall(new ConstantExpression(null));
        while (Current is { Kind: JinjaTokenKind.Operator, Text: "|" })
            ParseFilter(new ConstantExpression(null));
        EndBlock();
        JinjaExpression body = new BodyExpression(ParseBody("endfilter"));
        body = ApplyFilters(body, filtersAt, ParseFilterCall);
        EndTag("endfilter");
        return new OutputStatement(body);
    }

    /// <summary>Reads filters that stand before their body once more, now that the body is there.</summary>
    private JinjaExpression ApplyFilters(JinjaExpression body, int at, Func<JinjaExpression, FilterExpression> parseFirst)
    {
        int after = _at;
        _at = at;
        if (Current.Kind != JinjaTokenKind.BlockEnd)
            body = parseFirst(body);
        while (Current is { Kind: JinjaTokenKind.Operator, Text: "|" })
            body = ParseFilter(body);
        _at = after;
        return body;
    }

    private ScopeStatement ParseWith()
    {
        List<(JinjaTarget, JinjaExpression)> values = [];
        while (Current.Kind != JinjaTokenKind.BlockEnd)
        {
            JinjaTarget target = new NameTarget(Expect(JinjaTokenKind.Name, "a name").Text);
            ExpectOperator("=");
            values.Add((target, ParseExpression()));
            if (!TakeOperator(","))
                break;
        }

        EndBlock();
        SequenceStatement body = ParseBody("endwith");
        EndTag("endwith");
        return new ScopeStatement(values, body);
    }

    private ScopeStatement ParseGroup(string end)
    {
        EndBlock();
        SequenceStatement body = ParseBody(end);
        EndTag(end, mayBeNamed: true);
        return new ScopeStatement([], body);
    }

    private MacroStatement ParseMacro()
    {
        string name = Expect(JinjaTokenKind.Name, "a name").Text;
        ExpectOperator("(");
        return new MacroStatement(ParseMacroBody(name, hasParameters: true, "endmacro"));
    }

    private CallBlockStatement ParseCall()
    {
        bool hasParameters = TakeOperator("(");
        List<(string, JinjaExpression?)> parameters = hasParameters ? ParseParameters() : [];
        CallExpression call = ParseUnary(withFilters: false) as CallExpression ?? throw Error("a call is missing");
        EndBlock();
        return new CallBlockStatement(call, ParseNamedBody("caller", parameters, "endcall"));
    }

    private JinjaMacro ParseMacroBody(string name, bool hasParameters, string end)
    {
        List<(string, JinjaExpression?)> parameters = hasParameters ? ParseParameters() : [];
        EndBlock();
        return ParseNamedBody(name, parameters, end);
    }

    private JinjaMacro ParseNamedBody(string name, List<(string Name, JinjaExpression? Default)> parameters, string end)
    {
        HashSet<string> outer = _names;
        int loops = _loops;
        _names = new HashSet<string>(StringComparer.Ordinal);
        _loops = 0;
        SequenceStatement body = ParseBody(end);
        EndTag(end, mayBeNamed: true);
        HashSet<string> uses = _names;
        uses.ExceptWith(parameters.Select(parameter => parameter.Name));
        _names = outer;
        _names.UnionWith(uses);
        _loops = loops;
        return new JinjaMacro(name, parameters, body, uses);
    }

    private List<(string Name, JinjaExpression? Default)> ParseParameters()
    {
        List<(string, JinjaExpression?)> parameters = [];
        bool defaults = false;
        while (!TakeOperator(")"))
        {
            string name = Expect(JinjaTokenKind.Name, "a name").Text;
            bool hasDefault = TakeOperator("=");
            if (defaults && !hasDefault)
                throw Error($"the parameter '{name}' without default stands after one with a default");
            defaults = hasDefault;
            parameters.Add((name, hasDefault ? ParseExpression() : null));
            if (!TakeOperator(","))
            {
                ExpectOperator(")");
                break;
            }
        }

        return parameters;
    }

    private JinjaTarget ParseTarget(bool withAttributes, string? forbidden = null)
    {
        JinjaTarget first = ParseOneTarget(withAttributes, forbidden);
        if (!TakeOperator(","))
            return first;
        List<JinjaTarget> targets = [first];
        while (Current.Kind == JinjaTokenKind.Name && !IsName("in") || Current is { Kind: JinjaTokenKind.Operator, Text: "(" })
        {
            targets.Add(ParseOneTarget(withAttributes, forbidden));
            if (!TakeOperator(","))
                break;
        }

        return new TupleTarget(targets);
    }

    private JinjaTarget ParseOneTarget(bool withAttributes, string? forbidden)
    {
        if (TakeOperator("("))
        {
            Enter();
            JinjaTarget inner = ParseTarget(withAttributes, forbidden);
            ExpectOperator(")");
            _depth--;
            return inner;
        }

        string name = Expect(JinjaTokenKind.Name, "a name").Text;
        if (name == forbidden || name is "true" or "false" or "none" or "True" or "False" or "None")
            throw Error($"'{name}' cannot be set");
        return withAttributes && TakeOperator(".") ? new AttributeTarget(name, Expect(JinjaTokenKind.Name, "a name").Text) : new NameTarget(name);
    }
}
