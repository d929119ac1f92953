namespace KwaaiNet.Fuzz.Targets;

/// <summary>The readers that can be fuzzed. A new one is a file beside this one and a line here.</summary>
internal static class FuzzTargets
{
    private static readonly Dictionary<string, Func<IFuzzTarget>> s_targets = new(StringComparer.Ordinal)
    {
        ["gguf"] = () => new GgufTarget(),
        ["tokenizer"] = () => new TokenizerTarget(),
        ["safetensors"] = () => new SafetensorsTarget(),
        ["config"] = () => new ConfigTarget(),
        ["tokenizer-json"] = () => new TokenizerJsonTarget(),
        ["template"] = () => new TemplateTarget(),
    };

    /// <summary>All names.</summary>
    public static IReadOnlyCollection<string> Names => s_targets.Keys;

    /// <summary>Makes one; its seeds are made with it.</summary>
    /// <param name="name">One of <see cref="Names"/>.</param>
    public static IFuzzTarget Create(string name) => s_targets[name]();
}
