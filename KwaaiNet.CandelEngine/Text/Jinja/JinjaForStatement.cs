namespace KwaaiNet.CandelEngine.Text.Jinja;

/// <summary><c>{% for a in b if c recursive %} … {% else %} … {% endfor %}</c>. What the body sets is gone after each round.</summary>
internal sealed class ForStatement(JinjaTarget target, JinjaExpression source, JinjaExpression? filter, bool recursive, JinjaStatement body, JinjaStatement? otherwise)
    : JinjaStatement
{
    protected override JinjaFlow Perform(JinjaContext context)
    {
        Go(context, source.Evaluate(context), 0);
        return JinjaFlow.Next;
    }

    private void Go(JinjaContext context, object? value, int depth)
    {
        context.Budget.Enter();
        IReadOnlyList<object?> items = JinjaValues.ToItems(context, value);
        if (filter is not null)
            items = Filter(context, items, filter);
        List<Dictionary<string, object?>>? scopes = recursive ? context.CaptureScopes() : null;
        JinjaLoop loop = new(items, depth, scopes is null ? null : (inner, level) => Recurse(context, scopes, inner, level));
        bool finished = false;
        for (; loop.Index < items.Count; loop.Index++)
        {
            context.PushScope();
            context.Set("loop", loop);
            target.Assign(context, items[loop.Index]);
            JinjaFlow flow = body.Run(context);
            context.PopScope();
            finished |= flow == JinjaFlow.Next;
            if (flow == JinjaFlow.Break)
                break;
        }

        // As the reference has it: 'else' also when 'break' or 'continue' left every round early.
        if (!finished && otherwise is not null)
        {
            context.PushScope();
            otherwise.Run(context);
            context.PopScope();
        }

        context.Budget.Leave();
    }

    private JinjaText Recurse(JinjaContext context, List<Dictionary<string, object?>> scopes, object? value, int depth)
    {
        List<Dictionary<string, object?>> before = context.EnterScopes(scopes);
        context.BeginCapture();
        Go(context, value, depth);
        context.LeaveScopes(before);
        return context.EndCapture();
    }

    private List<object?> Filter(JinjaContext context, IReadOnlyList<object?> items, JinjaExpression condition)
    {
        List<object?> kept = [];
        foreach (object? item in items)
        {
            context.PushScope();
            target.Assign(context, item);
            if (JinjaValues.IsTrue(condition.Evaluate(context)))
                kept.Add(item);
            context.PopScope();
        }

        return kept;
    }
}
