namespace KwaaiNet.CandelEngine.Models.Architectures;

/// <summary>Mistral's models from Ministral 3 on, which GGUF no longer calls llama: the plain block with YaRN.</summary>
internal static class Mistral3
{
    public static Architecture Architecture { get; } = Llama.Architecture with
    {
        Name = "mistral3",
        Complete = (read, shape) =>
        {
            read.RefuseFeature(read.Number("attention.temperature_scale", 0, 1e6f, 0) != 0, "attention that cools with the position");
            return Llama.Architecture.Complete(read, shape);
        },
    };
}
