namespace KwaaiNet.CandelEngine.Text.Jinja;

/// <summary>What a rendering knows while it runs: names, output so far, budget.</summary>
internal sealed class JinjaContext
{
    private readonly List<Dictionary<string, object?>> _scopes = [];
    private readonly Stack<JinjaTextBuilder> _outputs = new();

    public JinjaContext(IEnumerable<KeyValuePair<string, object?>> names, TimeProvider time)
    {
        Time = time;
        Budget = new JinjaBudget(time);
        _scopes.Add(new Dictionary<string, object?>(names, StringComparer.Ordinal));
        _outputs.Push(new JinjaTextBuilder());
    }

    public JinjaBudget Budget { get; }

    public TimeProvider Time { get; }

    /// <summary>The value of a name, innermost scope first.</summary>
    public object? Get(string name)
    {
        for (int i = _scopes.Count - 1; i >= 0; i--)
        {
            if (_scopes[i].TryGetValue(name, out object? value))
                return value;
        }

        return JinjaGlobals.Find(name) ?? (object)new JinjaUndefined(name);
    }

    public void Set(string name, object? value) => _scopes[^1][name] = value;

    public void PushScope() => _scopes.Add(new Dictionary<string, object?>(StringComparer.Ordinal));

    public void PopScope() => _scopes.RemoveAt(_scopes.Count - 1);

    public void Write(JinjaText text)
    {
        Budget.Charge(text.Length);
        JinjaTextBuilder output = _outputs.Peek();
        if (output.Length + text.Length > JinjaBudget.MaximumOutput)
            throw new ChatTemplateException($"The chat template writes more than {JinjaBudget.MaximumOutput:N0} characters.");
        output.Append(text);
    }

    /// <summary>Collects what is written from here on, up to <see cref="EndCapture"/>.</summary>
    public void BeginCapture() => _outputs.Push(new JinjaTextBuilder());

    public JinjaText EndCapture() => _outputs.Pop().ToText();

    /// <summary>What was written.</summary>
    public JinjaText Output => _outputs.Peek().ToText();
}
