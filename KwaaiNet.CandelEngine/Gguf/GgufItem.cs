namespace KwaaiNet.CandelEngine.Gguf;

/// <summary>What is being read, for an error's message: put into words only when there is an error, since a header has thousands of parts.</summary>
/// <param name="What">The kind of part.</param>
/// <param name="Name">Its name; null when it has none, or none yet.</param>
/// <param name="Index">Its number; negative when it has none.</param>
/// <param name="Count">How many there are.</param>
internal readonly record struct GgufItem(string What, string? Name = null, int Index = -1, int Count = 0)
{
    private const int LongestQuoted = 128;

    public static implicit operator GgufItem(string what) => new(what);

    /// <summary>A name as messages quote it: a key may have 65,535 bytes.</summary>
    public static string Short(string name) => name.Length <= LongestQuoted ? name : name[..LongestQuoted] + "\u2026";

    public override string ToString() => Name is not null ? $"{What} '{Short(Name)}'" : Index >= 0 ? $"{What} {Index} of {Count}" : What;
}
