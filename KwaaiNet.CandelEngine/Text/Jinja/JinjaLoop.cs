namespace KwaaiNet.CandelEngine.Text.Jinja;

/// <summary>The variable <c>loop</c> inside a <c>for</c>.</summary>
internal sealed class JinjaLoop(IReadOnlyList<object?> items)
{
    /// <summary>Rounds done.</summary>
    public int Index { get; set; }

    public object? Get(string name) => name switch
    {
        "index" => Index + 1L,
        "index0" => (long)Index,
        "revindex" => (long)(items.Count - Index),
        "revindex0" => items.Count - Index - 1L,
        "first" => Index == 0,
        "last" => Index == items.Count - 1,
        "length" => (long)items.Count,
        "previtem" => Index > 0 ? items[Index - 1] : new JinjaUndefined("loop.previtem"),
        "nextitem" => Index < items.Count - 1 ? items[Index + 1] : new JinjaUndefined("loop.nextitem"),
        _ => new JinjaUndefined($"loop.{name}"),
    };
}
