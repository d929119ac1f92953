namespace KwaaiNet.CandelEngine.Text.Jinja;

/// <summary>Attributes, items and slices.</summary>
internal static class JinjaAccess
{
    public static object? Attribute(object? target, string name)
    {
        if (target is JinjaUndefined undefined)
            throw new ChatTemplateException($"The chat template takes '{name}' of '{undefined.Name}', which is undefined.");
        // Python's inner workings are behind such names; the sandbox hides them.
        if (name.StartsWith('_'))
            return target is JinjaMap hidden && hidden.TryGet(name, out object? own) ? own : new JinjaUndefined(name);
        return Find(target, name, out object? value) ? value : new JinjaUndefined(name);
    }

    private static bool Find(object? target, string name, out object? value)
    {
        value = null;
        switch (target)
        {
            // As in Python, a dictionary's methods come before its keys.
            case JinjaMap map:
                value = JinjaMethods.OfMap(map, name);
                return value is not null || map.TryGet(name, out value);
            case JinjaText text:
                value = JinjaTextMethods.Find(text, name);
                return value is not null;
            case JinjaList { Names: { } names } when names.TryGetValue(name, out value):
                return true;
            case JinjaList list:
                value = JinjaMethods.OfList(list, name);
                return value is not null;
            case JinjaNamespace space:
                return space.Values.TryGetValue(name, out value);
            case JinjaLoop loop:
                value = loop.Get(name);
                return true;
            case JinjaFunction { Attributes: { } attributes }:
                return attributes.TryGetValue(name, out value);
            default:
                return false;
        }
    }

    public static object? Item(JinjaContext context, object? target, object? index)
    {
        switch (target)
        {
            case JinjaUndefined undefined:
                throw new ChatTemplateException($"The chat template takes an item of '{undefined.Name}', which is undefined.");
            case JinjaMap map when index is not (JinjaMap or JinjaList { Kind: not JinjaListKind.Tuple }) && map.TryGet(index, out object? value):
                return value;
            case JinjaList { IsIndexed: true } list when index is bool or long:
                long at = JinjaValues.ToInteger(index);
                at = at < 0 ? at + list.Items.Count : at;
                return at >= 0 && at < list.Items.Count ? list.Items[(int)at] : new JinjaUndefined($"item {JinjaValues.ToInteger(index)}");
            case JinjaText text when index is bool or long:
                context.Budget.Charge(text.Length);
                int[]? starts = text.CharacterStarts();
                long count = starts is null ? text.Length : starts.Length - 1;
                long character = JinjaValues.ToInteger(index);
                character = character < 0 ? character + count : character;
                if (character < 0 || character >= count)
                    return new JinjaUndefined($"character {JinjaValues.ToInteger(index)}");
                return starts is null ? text.Slice((int)character, 1) : text.Slice(starts[character], starts[character + 1] - starts[character]);
            default:
                return index is JinjaText name ? Attribute(target, name.Text) : new JinjaUndefined("an item");
        }
    }

    public static object? Slice(JinjaContext context, object? target, long? start, long? stop, long? step)
    {
        if (target is not (JinjaText or JinjaList { IsIndexed: true }))
            throw new ChatTemplateException($"The chat template takes a part of {JinjaValues.TypeName(target)}.");
        if (step == 0)
            throw new ChatTemplateException("The chat template slices with a step of 0.");
        if (target is JinjaText whole && (step ?? 1) == 1)
            return SliceText(context, whole, start, stop);
        IReadOnlyList<object?> items = JinjaValues.ToItems(context, target);
        long by = step ?? 1;
        long first = Clamp(start ?? (by > 0 ? 0 : items.Count - 1), start is null, items.Count, by);
        long last = stop is null ? (by > 0 ? items.Count : -1) : Clamp(stop.Value, false, items.Count, by);
        context.Budget.ChargeItems(items.Count);
        List<object?> taken = [];
        for (long i = first; by > 0 ? i < last : i > last; i += by)
        {
            taken.Add(items[(int)i]);
            // A step beyond the list cannot be added to a 64-bit index safely.
            if (by > items.Count || by < -items.Count)
                break;
        }

        if (target is JinjaList list)
            return new JinjaList(taken, list.Kind == JinjaListKind.Tuple ? JinjaListKind.Tuple : JinjaListKind.List);
        JinjaTextBuilder builder = new();
        foreach (object? item in taken)
            builder.Append((JinjaText)item!);
        return builder.ToText();
    }

    /// <summary>The common case, without taking the string apart.</summary>
    private static JinjaText SliceText(JinjaContext context, JinjaText text, long? start, long? stop)
    {
        context.Budget.Charge(text.Length);
        int[]? starts = text.CharacterStarts();
        int count = starts is null ? text.Length : starts.Length - 1;
        int first = (int)Clamp(start ?? 0, start is null, count, 1);
        int last = (int)Math.Max(first, stop is null ? count : Clamp(stop.Value, false, count, 1));
        return starts is null ? text.Slice(first, last - first) : text.Slice(starts[first], starts[last] - starts[first]);
    }

    private static long Clamp(long index, bool isDefault, int count, long step)
    {
        if (index < 0 && !isDefault)
            index = Math.Max(index, -count - 1L) + count;
        return step > 0 ? Math.Clamp(index, 0, count) : Math.Clamp(index, -1, count - 1L);
    }
}
