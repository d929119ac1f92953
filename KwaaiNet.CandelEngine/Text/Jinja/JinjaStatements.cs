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

/// <summary><c>{% break %}</c> and <c>{% continue %}</c>.</summary>
internal sealed class FlowStatement(JinjaFlow flow) : JinjaStatement
{
    protected override JinjaFlow Perform(JinjaContext context) => flow;
}
