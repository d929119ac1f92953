using System.Globalization;

namespace KwaaiNet.CandelEngine.Text.Jinja;

/// <summary>The variable <c>loop</c> inside a <c>for</c>.</summary>
/// <param name="items">What the loop goes through.</param>
/// <param name="depth">How deep in a recursive loop it stands, from 0.</param>
/// <param name="recurse">Runs the loop again over other elements; null when it is not recursive.</param>
internal sealed class JinjaLoop(IReadOnlyList<object?> items, int depth, Func<object?, int, JinjaText>? recurse)
{
    private object? _last;
    private bool _hasLast;

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
        "depth" => depth + 1L,
        "depth0" => (long)depth,
        "previtem" => Index > 0 ? items[Index - 1] : new JinjaUndefined("loop.previtem"),
        "nextitem" => Index < items.Count - 1 ? items[Index + 1] : new JinjaUndefined("loop.nextitem"),
        "cycle" => new JinjaFunction("loop.cycle", (_, a) => a.Positional.Count > 0 ? a.Positional[Index % a.Positional.Count] : throw new ChatTemplateException("The chat template cycles through nothing.")),
        "changed" => new JinjaFunction("loop.changed", (c, a) => HasChanged(c, new JinjaList(a.Positional, JinjaListKind.Tuple))),
        _ => new JinjaUndefined($"loop.{name}"),
    };

    /// <summary>What <c>loop(items)</c> gives: the loop's text for those.</summary>
    public JinjaText Recurse(JinjaContext context, JinjaArguments arguments) => recurse is null
        ? throw new ChatTemplateException("The chat template calls 'loop' in a 'for' that is not recursive.")
        : recurse(arguments.Required(0, "iterable"), depth + 1);

    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"<LoopContext {Index + 1}/{items.Count}>");

    private bool HasChanged(JinjaContext context, object? value)
    {
        bool changed = !_hasLast || !JinjaValues.AreEqual(context, _last, value);
        (_last, _hasLast) = (value, true);
        return changed;
    }
}
