using KwaaiNet.CandelEngine.Files;
using KwaaiNet.CandelEngine.Gguf;
using KwaaiNet.CandelEngine.Tensors;

namespace KwaaiNet.CandelEngine.Models.Architectures;

/// <summary>The architectures this engine runs, by the name GGUF gives them. A new one is a file beside this one and a line here.</summary>
internal static class KnownArchitectures
{
    private static readonly Dictionary<string, Architecture> s_all = new Architecture[]
    {
        Llama.Architecture,
        Mistral3.Architecture,
        Qwen2.Architecture,
        Qwen3.Architecture,
        Qwen3Moe.Architecture,
        Gemma2.Architecture,
        Gemma3.Architecture,
        Phi3.Architecture,
        SmolLm3.Architecture,
        Granite.Architecture,
        GraniteMoe.Architecture,
    }.ToDictionary(a => a.Name, StringComparer.Ordinal);

    /// <summary>Names of all, in no order that matters.</summary>
    public static IEnumerable<string> Names => s_all.Keys;

    /// <summary>Looks an architecture up; null when this engine does not run it.</summary>
    public static Architecture? Find(string name) => s_all.GetValueOrDefault(name);

    /// <summary>Reads a model's dimensions.</summary>
    /// <exception cref="ModelFormatException">The architecture is missing or not run here, or a dimension is missing or cannot be.</exception>
    public static ModelShape ReadShape(GgufFile file) =>
        ReadShape(file.Metadata, file.TryGetTensor("token_embd.weight", out TensorData embedding) ? embedding.Rows : null);

    /// <summary>Reads a model's dimensions.</summary>
    /// <param name="metadata">What the model says about itself, under GGUF's keys.</param>
    /// <param name="embeddingRows">Rows of its token embedding; null when the file has none, as a shard's may.</param>
    /// <exception cref="ModelFormatException">The architecture is missing or not run here, or a dimension is missing or cannot be.</exception>
    public static ModelShape ReadShape(GgufMetadata metadata, int? embeddingRows)
    {
        const string Key = "general.architecture";
        string? name = metadata.GetString(Key);
        if (name is null)
            metadata.ThrowMissing(Key);
        Architecture architecture = Find(name)
            ?? throw metadata.Problem($"the model's architecture is '{name}'; this engine runs {string.Join(", ", Names)}. Take a model of one of these.");
        ShapeReader read = new(metadata, name);
        return architecture.Complete(read, CommonShape.Read(metadata, read, architecture, embeddingRows));
    }
}
