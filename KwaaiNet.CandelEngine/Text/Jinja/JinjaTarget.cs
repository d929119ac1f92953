namespace KwaaiNet.CandelEngine.Text.Jinja;

/// <summary>What a value is given to: a name, an attribute of a namespace, or several of these for the parts of a list.</summary>
internal abstract class JinjaTarget
{
    public abstract void Assign(JinjaContext context, object? value);
}

/// <summary><c>name</c>.</summary>
internal sealed class NameTarget(string name) : JinjaTarget
{
    public override void Assign(JinjaContext context, object? value) => context.Set(name, value);
}

/// <summary><c>space.name</c>.</summary>
internal sealed class AttributeTarget(string space, string name) : JinjaTarget
{
    public override void Assign(JinjaContext context, object? value)
    {
        if (context.Get(space) is not JinjaNamespace target)
            throw new ChatTemplateException($"The chat template sets '{space}.{name}', and '{space}' is no namespace.");
        target.Values[name] = value;
    }
}

/// <summary><c>a, b</c>, with or without parentheses.</summary>
internal sealed class TupleTarget(IReadOnlyList<JinjaTarget> targets) : JinjaTarget
{
    public override void Assign(JinjaContext context, object? value)
    {
        IReadOnlyList<object?> parts = JinjaValues.ToItems(context, value);
        if (parts.Count != targets.Count)
            throw new ChatTemplateException($"The chat template takes {JinjaValues.TypeName(value)} of {parts.Count} apart into {targets.Count} names.");
        for (int i = 0; i < targets.Count; i++)
            targets[i].Assign(context, parts[i]);
    }
}
