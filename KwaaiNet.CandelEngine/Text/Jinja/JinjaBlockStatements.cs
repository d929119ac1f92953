namespace KwaaiNet.CandelEngine.Text.Jinja;

/// <summary><c>{% set a, b = expression %}</c>, and with a body <c>{% set a | filter %} … {% endset %}</c>.</summary>
internal sealed class SetStatement(JinjaTarget target, JinjaExpression value) : JinjaStatement
{
    protected override JinjaFlow Perform(JinjaContext context)
    {
        target.Assign(context, value.Evaluate(context));
        return JinjaFlow.Next;
    }
}

/// <summary>A body whose names are its own: <c>{% with a = b %} … {% endwith %}</c>, and bodies that only group.</summary>
internal sealed class ScopeStatement(IReadOnlyList<(JinjaTarget Target, JinjaExpression Value)> values, JinjaStatement body) : JinjaStatement
{
    protected override JinjaFlow Perform(JinjaContext context)
    {
        // All values are computed before any name is set.
        object?[] computed = [.. values.Select(pair => pair.Value.Evaluate(context))];
        context.PushScope();
        for (int i = 0; i < computed.Length; i++)
            values[i].Target.Assign(context, computed[i]);
        JinjaFlow flow = body.Run(context);
        context.PopScope();
        return flow;
    }
}

/// <summary><c>{% macro f(a, b=c) %} … {% endmacro %}</c>.</summary>
internal sealed class MacroStatement(JinjaMacro macro) : JinjaStatement
{
    protected override JinjaFlow Perform(JinjaContext context)
    {
        context.Set(macro.Name, macro.Bind(context));
        return JinjaFlow.Next;
    }
}

/// <summary><c>{% call(a) f(b) %} … {% endcall %}</c>: calls <c>f</c>, which gets the body as <c>caller</c>.</summary>
internal sealed class CallBlockStatement(CallExpression call, JinjaMacro caller) : JinjaStatement
{
    protected override JinjaFlow Perform(JinjaContext context)
    {
        context.Write(JinjaValues.ToText(context, call.Call(context, caller.Bind(context))));
        return JinjaFlow.Next;
    }
}
