using KwaaiNet.CandelEngine.Gguf;

namespace KwaaiNet.CandelEngine.Models.Architectures;

/// <summary>The architectures this engine runs, by the name GGUF gives them. A new one is a file beside this one and a line here.</summary>
internal static class ArchitectureShapes
{
    private static readonly Dictionary<string, Func<GgufFile, ModelShape>> s_readers = new(StringComparer.Ordinal)
    {
        [LlamaArchitecture.Name] = LlamaArchitecture.ReadShape,
    };

    /// <summary>Reads a model's dimensions.</summary>
    /// <exception cref="ModelFormatException">The architecture is missing or not run here, or a dimension is missing or cannot be.</exception>
    public static ModelShape Read(GgufFile file)
    {
        const string Key = "general.architecture";
        string? architecture = file.Metadata.GetString(Key);
        if (architecture is null)
            file.Metadata.ThrowMissing(Key);
        if (!s_readers.TryGetValue(architecture, out Func<GgufFile, ModelShape>? reader))
            throw file.Metadata.Problem($"the model's architecture is '{architecture}'; this engine runs {string.Join(", ", s_readers.Keys)}. Take a model of one of these.");
        return reader(file);
    }
}
