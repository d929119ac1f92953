using System.Globalization;

namespace KwaaiNet.CandelEngine.Text.Jinja;

// Loosest first:  a if b else c · or · and · not · comparisons, in · + - · ~ · * / // % · ** · unary - + · .x [x] (x) |filter is test

internal sealed partial class JinjaParser
{
    private JinjaExpression ParseExpression()
    {
        Enter();
        JinjaExpression value = ParseOr();
        while (TakeName("if"))
        {
            JinjaExpression condition = ParseOr();
            value = new ConditionalExpression(value, condition, TakeName("else") ? ParseExpression() : null);
        }

        _depth--;
        return value;
    }

    /// <summary>Expressions with commas between make a tuple.</summary>
    private JinjaExpression ParseTuple()
    {
        JinjaExpression first = ParseExpression();
        if (!TakeOperator(","))
            return first;
        List<JinjaExpression> items = [first];
        while (Current.Kind is not (JinjaTokenKind.BlockEnd or JinjaTokenKind.VariableEnd) && !(Current is { Kind: JinjaTokenKind.Operator, Text: ")" }) && !IsName("in"))
        {
            items.Add(ParseExpression());
            if (!TakeOperator(","))
                break;
        }

        return new ListExpression(items, JinjaListKind.Tuple);
    }

    private JinjaExpression ParseOr()
    {
        JinjaExpression left = ParseAnd();
        while (TakeName("or"))
            left = new LogicalExpression(left, ParseAnd(), and: false);
        return left;
    }

    private JinjaExpression ParseAnd()
    {
        JinjaExpression left = ParseNot();
        while (TakeName("and"))
            left = new LogicalExpression(left, ParseNot(), and: true);
        return left;
    }

    private JinjaExpression ParseNot()
    {
        if (!TakeName("not"))
            return ParseCompare();
        Enter();
        JinjaExpression operand = ParseNot();
        _depth--;
        return new NotExpression(operand);
    }

    private JinjaExpression ParseCompare()
    {
        JinjaExpression first = ParseSum();
        List<(string, JinjaExpression)> rest = [];
        while (true)
        {
            if (TakeOperator(out string? symbol, "==", "!=", "<=", ">=", "<", ">"))
            {
                rest.Add((symbol, ParseSum()));
            }
            else if (TakeName("in"))
            {
                rest.Add(("in", ParseSum()));
            }
            else if (IsName("not") && _tokens[_at + 1] is { Kind: JinjaTokenKind.Name, Text: "in" })
            {
                _at += 2;
                rest.Add(("not in", ParseSum()));
            }
            else
            {
                return rest.Count == 0 ? first : new CompareExpression(first, rest);
            }
        }
    }

    private JinjaExpression ParseSum()
    {
        JinjaExpression left = ParseConcatenation();
        while (TakeOperator(out string? symbol, "+", "-"))
            left = new BinaryExpression(symbol, left, ParseConcatenation());
        return left;
    }

    private JinjaExpression ParseConcatenation()
    {
        JinjaExpression left = ParseProduct();
        while (TakeOperator("~"))
            left = new BinaryExpression("~", left, ParseProduct());
        return left;
    }

    private JinjaExpression ParseProduct()
    {
        JinjaExpression left = ParsePower();
        while (TakeOperator(out string? symbol, "*", "/", "//", "%"))
            left = new BinaryExpression(symbol, left, ParsePower());
        return left;
    }

    private JinjaExpression ParsePower()
    {
        JinjaExpression left = ParseUnary(withFilters: true);
        while (TakeOperator("**"))
            left = new BinaryExpression("**", left, ParseUnary(withFilters: true));
        return left;
    }

    private JinjaExpression ParseUnary(bool withFilters)
    {
        Enter();
        JinjaExpression value = TakeOperator("-") ? new SignExpression(ParseUnary(withFilters: false), negative: true)
            : TakeOperator("+") ? new SignExpression(ParseUnary(withFilters: false), negative: false)
            : ParsePrimary();
        value = ParsePostfix(value);
        if (withFilters)
            value = ParseFiltersAndTests(value);
        _depth--;
        return value;
    }

    private JinjaExpression ParsePrimary()
    {
        JinjaToken token = Current;
        _at++;
        switch (token.Kind)
        {
            case JinjaTokenKind.Name:
                _names.Add(token.Text);
                return token.Text switch
                {
                    "true" or "True" => new ConstantExpression(true),
                    "false" or "False" => new ConstantExpression(false),
                    "none" or "None" => new ConstantExpression(null),
                    _ => new NameExpression(token.Text),
                };
            case JinjaTokenKind.String:
                string text = token.Text;
                while (Current.Kind == JinjaTokenKind.String)
                    text += _tokens[_at++].Text;
                return new ConstantExpression(JinjaText.Trusted(text));
            case JinjaTokenKind.Integer:
                return new ConstantExpression(ReadInteger(token.Text));
            case JinjaTokenKind.Float:
                return new ConstantExpression(double.Parse(token.Text, CultureInfo.InvariantCulture));
            case JinjaTokenKind.Operator when token.Text == "(":
                if (TakeOperator(")"))
                    return new ListExpression([], JinjaListKind.Tuple);
                JinjaExpression inner = ParseTuple();
                ExpectOperator(")");
                return inner;
            case JinjaTokenKind.Operator when token.Text == "[":
                return new ListExpression(ParseItems("]", ParseExpression), JinjaListKind.List);
            case JinjaTokenKind.Operator when token.Text == "{":
                return new MapExpression(ParseItems("}", ParsePair));
            default:
                _at--;
                throw Error("an expression is missing");
        }
    }

    private long ReadInteger(string text)
    {
        string digits = text.Replace("_", "");
        try
        {
            return digits is ['0', 'x' or 'X' or 'o' or 'O' or 'b' or 'B', ..]
                ? Convert.ToInt64(digits[2..], char.ToLowerInvariant(digits[1]) switch { 'x' => 16, 'o' => 8, _ => 2 })
                : long.Parse(digits, CultureInfo.InvariantCulture);
        }
        catch (Exception e) when (e is OverflowException or FormatException or ArgumentException)
        {
            throw Error($"{text} is no integer of 64 bits");
        }
    }

    private (JinjaExpression Key, JinjaExpression Value) ParsePair()
    {
        JinjaExpression key = ParseExpression();
        ExpectOperator(":");
        return (key, ParseExpression());
    }

    private List<T> ParseItems<T>(string close, Func<T> parse)
    {
        List<T> items = [];
        while (!TakeOperator(close))
        {
            items.Add(parse());
            if (!TakeOperator(","))
            {
                ExpectOperator(close);
                break;
            }
        }

        return items;
    }

    private JinjaExpression ParsePostfix(JinjaExpression value)
    {
        while (true)
        {
            if (TakeOperator("."))
            {
                value = Current.Kind == JinjaTokenKind.Integer
                    ? new ItemExpression(value, ParsePrimary())
                    : new AttributeExpression(value, Expect(JinjaTokenKind.Name, "a name").Text);
            }
            else if (TakeOperator("["))
            {
                value = ParseSubscript(value);
            }
            else if (TakeOperator("("))
            {
                value = new CallExpression(value, ParseArguments());
            }
            else
            {
                return value;
            }
        }
    }

    private JinjaExpression ParseSubscript(JinjaExpression target)
    {
        JinjaExpression? start = Current is { Kind: JinjaTokenKind.Operator, Text: ":" } ? null : ParseExpression();
        if (start is not null && TakeOperator("]"))
            return new ItemExpression(target, start);
        ExpectOperator(":");
        JinjaExpression? stop = Current is { Kind: JinjaTokenKind.Operator, Text: ":" or "]" } ? null : ParseExpression();
        JinjaExpression? step = TakeOperator(":") && Current is not { Kind: JinjaTokenKind.Operator, Text: "]" } ? ParseExpression() : null;
        ExpectOperator("]");
        return new SliceExpression(target, start, stop, step);
    }

    private ArgumentList ParseArguments()
    {
        List<JinjaExpression> positional = [];
        List<(string, JinjaExpression)> named = [];
        JinjaExpression? morePositional = null;
        JinjaExpression? moreNamed = null;
        while (!TakeOperator(")"))
        {
            if (TakeOperator("**"))
                moreNamed = moreNamed is null ? ParseExpression() : throw Error("'**' stands twice");
            else if (TakeOperator("*"))
                morePositional = morePositional is null && moreNamed is null ? ParseExpression() : throw Error("'*' stands twice");
            else if (Current.Kind == JinjaTokenKind.Name && _tokens[_at + 1] is { Kind: JinjaTokenKind.Operator, Text: "=" })
                named.Add((TakeAssigned(), ParseExpression()));
            else if (named.Count > 0 || morePositional is not null || moreNamed is not null)
                throw Error("an argument without a name stands after one with a name");
            else
                positional.Add(ParseExpression());

            if (!TakeOperator(","))
            {
                ExpectOperator(")");
                break;
            }
        }

        return new ArgumentList(positional, named) { MorePositional = morePositional, MoreNamed = moreNamed };
    }

    private string TakeAssigned()
    {
        string name = Current.Text;
        _at += 2;
        return name;
    }

    private JinjaExpression ParseFiltersAndTests(JinjaExpression value)
    {
        while (true)
        {
            if (Current is { Kind: JinjaTokenKind.Operator, Text: "|" })
                value = ParseFilter(value);
            else if (TakeName("is"))
                value = ParseTest(value);
            else if (TakeOperator("("))
                value = new CallExpression(value, ParseArguments());
            else
                return value;
        }
    }

    private FilterExpression ParseFilter(JinjaExpression value)
    {
        ExpectOperator("|");
        return ParseFilterCall(value);
    }

    private FilterExpression ParseFilterCall(JinjaExpression value)
    {
        string name = Expect(JinjaTokenKind.Name, "a filter").Text;
        while (TakeOperator("."))
            name += "." + Expect(JinjaTokenKind.Name, "a name").Text;
        if (!_mayLack && JinjaFilters.Find(name) is null)
            throw JinjaLexer.Error(_source, _tokens[_at - 1].At, $"the filter '{name}' is not known here");
        return new FilterExpression(value, name, TakeOperator("(") ? ParseArguments() : ArgumentList.None);
    }

    private TestExpression ParseTest(JinjaExpression value)
    {
        bool negated = TakeName("not");
        string name = Expect(JinjaTokenKind.Name, "a test").Text;
        if (!_mayLack && JinjaTests.Find(name) is null)
            throw JinjaLexer.Error(_source, _tokens[_at - 1].At, $"the test '{name}' is not known here");
        ArgumentList arguments = ArgumentList.None;
        if (TakeOperator("("))
            arguments = ParseArguments();
        else if (StartsArgument())
            arguments = new ArgumentList([ParsePostfix(ParsePrimary())], []);
        return new TestExpression(value, name, arguments, negated);
    }

    /// <summary>Whether what follows a test's name is its argument, written without parentheses.</summary>
    private bool StartsArgument() => Current.Kind switch
    {
        JinjaTokenKind.String or JinjaTokenKind.Integer or JinjaTokenKind.Float => true,
        JinjaTokenKind.Name when Current.Text == "is" => throw Error("a test stands after another"),
        JinjaTokenKind.Name => Current.Text is not ("and" or "or" or "else"),
        JinjaTokenKind.Operator => Current.Text is "[" or "{",
        _ => false,
    };
}
