namespace KwaaiNet.CandelEngine.Text.Jinja;

/// <summary>The arguments written in a call.</summary>
/// <param name="positional">Arguments by place.</param>
/// <param name="named">Arguments by name.</param>
internal sealed class ArgumentList(IReadOnlyList<JinjaExpression> positional, IReadOnlyList<(string Name, JinjaExpression Value)> named)
{
    public static ArgumentList None { get; } = new([], []);

    /// <summary><c>*list</c>: further arguments by place.</summary>
    public JinjaExpression? MorePositional { get; init; }

    /// <summary><c>**dictionary</c>: further arguments by name.</summary>
    public JinjaExpression? MoreNamed { get; init; }

    public JinjaArguments Evaluate(JinjaContext context)
    {
        if (this == None)
            return JinjaArguments.None;
        List<object?> values = [];
        foreach (JinjaExpression argument in positional)
            values.Add(argument.Evaluate(context));
        if (MorePositional is not null)
            values.AddRange(JinjaValues.ToItems(context, MorePositional.Evaluate(context)));
        Dictionary<string, object?> byName = new(StringComparer.Ordinal);
        foreach ((string name, JinjaExpression argument) in named)
            byName[name] = argument.Evaluate(context);
        if (MoreNamed?.Evaluate(context) is { } more)
            AddNamed(more, byName);
        return new JinjaArguments(values, byName);
    }

    private static void AddNamed(object more, Dictionary<string, object?> byName)
    {
        if (more is not JinjaMap map)
            throw new ChatTemplateException($"The chat template calls with the names of {JinjaValues.TypeName(more)}.");
        foreach ((object? key, object? value) in map.Items)
        {
            if (key is not JinjaText name || !byName.TryAdd(name.Text, value))
                throw new ChatTemplateException("The chat template calls with an argument given twice, or without a name.");
        }
    }
}

/// <summary><c>f(a, b=c)</c>.</summary>
internal sealed class CallExpression(JinjaExpression target, ArgumentList arguments) : JinjaExpression
{
    protected override object? Compute(JinjaContext context) => Call(context, caller: null);

    /// <summary>Calls, with the body of a call block as a further argument.</summary>
    public object? Call(JinjaContext context, JinjaFunction? caller)
    {
        object? function = target.Evaluate(context);
        JinjaArguments given = arguments.Evaluate(context);
        if (caller is not null)
            given = new JinjaArguments(given.Positional, new Dictionary<string, object?>(given.Named, StringComparer.Ordinal) { ["caller"] = caller });
        return function switch
        {
            JinjaFunction callable => callable.Call(context, given),
            JinjaLoop loop => loop.Recurse(context, given),
            _ => throw new ChatTemplateException($"The chat template calls {JinjaValues.TypeName(function)}."),
        };
    }
}

/// <summary><c>a | filter(b)</c>.</summary>
internal sealed class FilterExpression(JinjaExpression target, string name, ArgumentList arguments) : JinjaExpression
{
    protected override object? Compute(JinjaContext context) => Apply(context, target.Evaluate(context));

    /// <summary>Applies the filter to a value.</summary>
    public object? Apply(JinjaContext context, object? value)
    {
        JinjaFilter filter = JinjaFilters.Find(name) ?? throw new ChatTemplateException($"The chat template uses the filter '{name}', which is not known here.");
        return filter(context, value, arguments.Evaluate(context));
    }
}

/// <summary><c>a is test(b)</c>, or <c>is not</c>.</summary>
internal sealed class TestExpression(JinjaExpression target, string name, ArgumentList arguments, bool negated) : JinjaExpression
{
    protected override object? Compute(JinjaContext context)
    {
        JinjaTest test = JinjaTests.Find(name) ?? throw new ChatTemplateException($"The chat template uses the test '{name}', which is not known here.");
        return test(context, target.Evaluate(context), arguments.Evaluate(context)) != negated;
    }
}

/// <summary>What a body writes, as a value.</summary>
internal sealed class BodyExpression(JinjaStatement body) : JinjaExpression
{
    protected override object? Compute(JinjaContext context)
    {
        context.BeginCapture();
        context.PushScope();
        body.Run(context);
        context.PopScope();
        return context.EndCapture();
    }
}
