namespace KwaaiNet.CandelEngine.Gguf;

/// <summary>What is being read, for an error's message: put into words only when there is an error, since a header has thousands of parts.</summary>
/// <param name="What">The kind of part.</param>
/// <param name="Name">Its name; null when it has none, or none yet.</param>
/// <param name="Index">Its number; negative when it has none.</param>
/// <param name="Count">How many there are.</param>
internal readonly record struct GgufItem(string What, string? Name = null, int Index = -1, int Count = 0)
{
    public static implicit operator GgufItem(string what) => new(what);

    public override string ToString() => Name is not null ? $"{What} '{Name}'" : Index >= 0 ? $"{What} {Index} of {Count}" : What;
}
