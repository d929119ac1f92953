namespace KwaaiNet.CandelEngine.Text.Jinja;

/// <summary>How a statement ended.</summary>
internal enum JinjaFlow
{
    Next,
    Break,
    Continue,
}

/// <summary>A statement of a template.</summary>
internal abstract class JinjaStatement
{
    /// <summary>Does it, within the budget.</summary>
    public JinjaFlow Run(JinjaContext context)
    {
        context.Budget.Enter();
        JinjaFlow flow = Perform(context);
        context.Budget.Leave();
        return flow;
    }

    protected abstract JinjaFlow Perform(JinjaContext context);
}

/// <summary>Statements one after another.</summary>
internal sealed class SequenceStatement(IReadOnlyList<JinjaStatement> statements) : JinjaStatement
{
    protected override JinjaFlow Perform(JinjaContext context)
    {
        foreach (JinjaStatement statement in statements)
        {
            JinjaFlow flow = statement.Run(context);
            if (flow != JinjaFlow.Next)
                return flow;
        }

        return JinjaFlow.Next;
    }
}

/// <summary>Text between tags.</summary>
internal sealed class DataStatement(string text) : JinjaStatement
{
    private readonly JinjaText _text = JinjaText.Trusted(text);

    protected override JinjaFlow Perform(JinjaContext context)
    {
        context.Write(_text);
        return JinjaFlow.Next;
    }
}

/// <summary><c>{{ expression }}</c>.</summary>
internal sealed class OutputStatement(JinjaExpression expression) : JinjaStatement
{
    protected override JinjaFlow Perform(JinjaContext context)
    {
        context.Write(JinjaValues.ToText(context, expression.Evaluate(context)));
        return JinjaFlow.Next;
    }
}

/// <summary><c>{% if %} … {% elif %} … {% else %} … {% endif %}</c>; an <c>else</c> has no condition.</summary>
internal sealed class IfStatement(IReadOnlyList<(JinjaExpression? Condition, JinjaStatement Body)> branches) : JinjaStatement
{
    protected override JinjaFlow Perform(JinjaContext context)
    {
        foreach ((JinjaExpression? condition, JinjaStatement body) in branches)
        {
            if (condition is null || JinjaValues.IsTrue(condition.Evaluate(context)))
                return body.Run(context);
        }

        return JinjaFlow.Next;
    }
}

/// <summary><c>{% for a in b if c %} … {% else %} … {% endfor %}</c>. What the body sets is gone after each round.</summary>
internal sealed class ForStatement(IReadOnlyList<string> names, JinjaExpression source, JinjaExpression? filter, JinjaStatement body, JinjaStatement? otherwise)
    : JinjaStatement
{
    protected override JinjaFlow Perform(JinjaContext context)
    {
        IReadOnlyList<object?> items = JinjaValues.ToItems(context, source.Evaluate(context));
        if (filter is not null)
            items = Filter(context, items, filter);
        if (items.Count == 0)
            return otherwise?.Run(context) ?? JinjaFlow.Next;
        JinjaLoop loop = new(items);
        for (; loop.Index < items.Count; loop.Index++)
        {
            context.PushScope();
            context.Set("loop", loop);
            Bind(context, items[loop.Index]);
            JinjaFlow flow = body.Run(context);
            context.PopScope();
            if (flow == JinjaFlow.Break)
                break;
        }

        return JinjaFlow.Next;
    }

    private List<object?> Filter(JinjaContext context, IReadOnlyList<object?> items, JinjaExpression condition)
    {
        List<object?> kept = [];
        foreach (object? item in items)
        {
            context.PushScope();
            Bind(context, item);
            if (JinjaValues.IsTrue(condition.Evaluate(context)))
                kept.Add(item);
            context.PopScope();
        }

        return kept;
    }

    private void Bind(JinjaContext context, object? item)
    {
        if (names.Count == 1)
        {
            context.Set(names[0], item);
            return;
        }

        if (item is not JinjaList list || list.Items.Count != names.Count)
            throw new ChatTemplateException($"The chat template takes {JinjaValues.TypeName(item)} apart into {names.Count} names.");
        for (int i = 0; i < names.Count; i++)
            context.Set(names[i], list.Items[i]);
    }
}

/// <summary><c>{% set name = expression %}</c>.</summary>
internal sealed class SetStatement(string name, JinjaExpression value) : JinjaStatement
{
    protected override JinjaFlow Perform(JinjaContext context)
    {
        context.Set(name, value.Evaluate(context));
        return JinjaFlow.Next;
    }
}

/// <summary><c>{% set space.name = expression %}</c>.</summary>
internal sealed class SetAttributeStatement(string space, string name, JinjaExpression value) : JinjaStatement
{
    protected override JinjaFlow Perform(JinjaContext context)
    {
        if (context.Get(space) is not JinjaNamespace target)
            throw new ChatTemplateException($"The chat template sets '{space}.{name}', and '{space}' is no namespace.");
        target.Values[name] = value.Evaluate(context);
        return JinjaFlow.Next;
    }
}

/// <summary><c>{% set name %} … {% endset %}</c>.</summary>
internal sealed class SetBlockStatement(string name, JinjaStatement body) : JinjaStatement
{
    protected override JinjaFlow Perform(JinjaContext context)
    {
        context.BeginCapture();
        JinjaFlow flow = body.Run(context);
        context.Set(name, context.EndCapture());
        return flow;
    }
}

/// <summary><c>{% break %}</c> and <c>{% continue %}</c>.</summary>
internal sealed class FlowStatement(JinjaFlow flow) : JinjaStatement
{
    protected override JinjaFlow Perform(JinjaContext context) => flow;
}
