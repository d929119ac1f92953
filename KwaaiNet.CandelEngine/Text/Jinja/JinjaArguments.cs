namespace KwaaiNet.CandelEngine.Text.Jinja;

/// <summary>The arguments of a call, by place and by name.</summary>
internal sealed class JinjaArguments(IReadOnlyList<object?> positional, IReadOnlyDictionary<string, object?> named)
{
    public static JinjaArguments None { get; } = new([], new Dictionary<string, object?>());

    public IReadOnlyList<object?> Positional { get; } = positional;

    public IReadOnlyDictionary<string, object?> Named { get; } = named;

    /// <summary>An argument, or null when it was not given.</summary>
    public object? Optional(int index, string name) => index < Positional.Count ? Positional[index] : Named.GetValueOrDefault(name);

    /// <summary>Whether an argument was given.</summary>
    public bool Has(int index, string name) => index < Positional.Count || Named.ContainsKey(name);

    /// <summary>An argument that must be there.</summary>
    public object? Required(int index, string name) =>
        Has(index, name) ? Optional(index, name) : throw new ChatTemplateException($"The chat template leaves out the argument '{name}'.");

    /// <summary>An argument that must be a string.</summary>
    public JinjaText Text(int index, string name) =>
        Required(index, name) as JinjaText ?? throw new ChatTemplateException($"The chat template gives {JinjaValues.TypeName(Optional(index, name))} for '{name}', which is a string.");
}
