namespace KwaaiNet.CandelEngine.Text.Jinja;

/// <summary>An expression of a template.</summary>
internal abstract class JinjaExpression
{
    /// <summary>Computes the value, within the budget.</summary>
    public object? Evaluate(JinjaContext context)
    {
        context.Budget.Enter();
        object? value = Compute(context);
        context.Budget.Leave();
        return value;
    }

    protected abstract object? Compute(JinjaContext context);
}

/// <summary>A literal.</summary>
internal sealed class ConstantExpression(object? value) : JinjaExpression
{
    protected override object? Compute(JinjaContext context) => value;
}

/// <summary>A variable.</summary>
internal sealed class NameExpression(string name) : JinjaExpression
{
    public string Name { get; } = name;

    protected override object? Compute(JinjaContext context) => context.Get(Name);
}

/// <summary><c>[a, b]</c> or <c>(a, b)</c>.</summary>
internal sealed class ListExpression(IReadOnlyList<JinjaExpression> items) : JinjaExpression
{
    protected override object? Compute(JinjaContext context)
    {
        object?[] values = new object?[items.Count];
        for (int i = 0; i < values.Length; i++)
            values[i] = items[i].Evaluate(context);
        return new JinjaList(values);
    }
}

/// <summary><c>{'a': b}</c>.</summary>
internal sealed class MapExpression(IReadOnlyList<(JinjaExpression Key, JinjaExpression Value)> items) : JinjaExpression
{
    protected override object? Compute(JinjaContext context)
    {
        JinjaMap map = new();
        foreach ((JinjaExpression key, JinjaExpression value) in items)
        {
            JinjaText name = key.Evaluate(context) as JinjaText ?? throw new ChatTemplateException("The chat template has a dictionary key that is no string.");
            map.Set(name, value.Evaluate(context));
        }

        return map;
    }
}

/// <summary><c>a if condition else b</c>.</summary>
internal sealed class ConditionalExpression(JinjaExpression then, JinjaExpression condition, JinjaExpression? otherwise) : JinjaExpression
{
    protected override object? Compute(JinjaContext context) =>
        JinjaValues.IsTrue(condition.Evaluate(context)) ? then.Evaluate(context) : otherwise is null ? new JinjaUndefined("the missing else") : otherwise.Evaluate(context);
}

/// <summary><c>and</c> and <c>or</c>: the value that decided, as in Python.</summary>
internal sealed class LogicalExpression(JinjaExpression left, JinjaExpression right, bool and) : JinjaExpression
{
    protected override object? Compute(JinjaContext context)
    {
        object? value = left.Evaluate(context);
        return JinjaValues.IsTrue(value) == and ? right.Evaluate(context) : value;
    }
}

/// <summary><c>not a</c>.</summary>
internal sealed class NotExpression(JinjaExpression operand) : JinjaExpression
{
    protected override object? Compute(JinjaContext context) => !JinjaValues.IsTrue(operand.Evaluate(context));
}

/// <summary><c>-a</c>.</summary>
internal sealed class NegativeExpression(JinjaExpression operand) : JinjaExpression
{
    protected override object? Compute(JinjaContext context)
    {
        object? value = operand.Evaluate(context);
        return value is double number ? -number : JinjaArithmetic.Compute(context, "-", 0L, value);
    }
}

/// <summary>A chain of comparisons: <c>a &lt; b in c</c> means <c>a &lt; b and b in c</c>.</summary>
internal sealed class CompareExpression(JinjaExpression first, IReadOnlyList<(string Operator, JinjaExpression Operand)> rest) : JinjaExpression
{
    protected override object? Compute(JinjaContext context)
    {
        object? left = first.Evaluate(context);
        foreach ((string symbol, JinjaExpression operand) in rest)
        {
            object? right = operand.Evaluate(context);
            if (!Holds(context, symbol, left, right))
                return false;
            left = right;
        }

        return true;
    }

    private static bool Holds(JinjaContext context, string symbol, object? left, object? right) => symbol switch
    {
        "==" => JinjaValues.AreEqual(context, left, right),
        "!=" => !JinjaValues.AreEqual(context, left, right),
        "in" => JinjaValues.Contains(context, right, left),
        "not in" => !JinjaValues.Contains(context, right, left),
        "<" => JinjaValues.Compare(left, right) < 0,
        "<=" => JinjaValues.Compare(left, right) <= 0,
        ">" => JinjaValues.Compare(left, right) > 0,
        _ => JinjaValues.Compare(left, right) >= 0,
    };
}

/// <summary><c>a + b</c> and the other operators of arithmetic and text.</summary>
internal sealed class BinaryExpression(string symbol, JinjaExpression left, JinjaExpression right) : JinjaExpression
{
    protected override object? Compute(JinjaContext context) => JinjaArithmetic.Compute(context, symbol, left.Evaluate(context), right.Evaluate(context));
}

/// <summary><c>a.b</c>.</summary>
internal sealed class AttributeExpression(JinjaExpression target, string name) : JinjaExpression
{
    public JinjaExpression Target { get; } = target;

    public string Name { get; } = name;

    protected override object? Compute(JinjaContext context) => JinjaAccess.Attribute(Target.Evaluate(context), Name);
}

/// <summary><c>a[b]</c>.</summary>
internal sealed class ItemExpression(JinjaExpression target, JinjaExpression index) : JinjaExpression
{
    protected override object? Compute(JinjaContext context) => JinjaAccess.Item(context, target.Evaluate(context), index.Evaluate(context));
}

/// <summary><c>a[start:stop:step]</c>.</summary>
internal sealed class SliceExpression(JinjaExpression target, JinjaExpression? start, JinjaExpression? stop, JinjaExpression? step) : JinjaExpression
{
    protected override object? Compute(JinjaContext context) =>
        JinjaAccess.Slice(context, target.Evaluate(context), Bound(context, start), Bound(context, stop), Bound(context, step));

    private static long? Bound(JinjaContext context, JinjaExpression? bound) =>
        bound?.Evaluate(context) is { } value ? JinjaValues.ToInteger(value) : null;
}

/// <summary>The arguments written in a call.</summary>
internal sealed class ArgumentList(IReadOnlyList<JinjaExpression> positional, IReadOnlyList<(string Name, JinjaExpression Value)> named)
{
    public JinjaArguments Evaluate(JinjaContext context)
    {
        if (positional.Count == 0 && named.Count == 0)
            return JinjaArguments.None;
        List<object?> values = [];
        foreach (JinjaExpression argument in positional)
            values.Add(argument.Evaluate(context));
        Dictionary<string, object?> byName = new(StringComparer.Ordinal);
        foreach ((string name, JinjaExpression argument) in named)
            byName[name] = argument.Evaluate(context);
        return new JinjaArguments(values, byName);
    }
}

/// <summary><c>f(a, b=c)</c>.</summary>
internal sealed class CallExpression(JinjaExpression target, ArgumentList arguments) : JinjaExpression
{
    protected override object? Compute(JinjaContext context)
    {
        object? function = target.Evaluate(context);
        return function is JinjaFunction callable
            ? callable.Call(context, arguments.Evaluate(context))
            : throw new ChatTemplateException($"The chat template calls {JinjaValues.TypeName(function)}.");
    }
}

/// <summary><c>a | filter(b)</c>.</summary>
internal sealed class FilterExpression(JinjaExpression target, JinjaFilter filter, ArgumentList arguments) : JinjaExpression
{
    protected override object? Compute(JinjaContext context) => filter(context, target.Evaluate(context), arguments.Evaluate(context));
}

/// <summary><c>a is test(b)</c>, or <c>is not</c>.</summary>
internal sealed class TestExpression(JinjaExpression target, JinjaTest test, ArgumentList arguments, bool negated) : JinjaExpression
{
    protected override object? Compute(JinjaContext context) => test(context, target.Evaluate(context), arguments.Evaluate(context)) != negated;
}
