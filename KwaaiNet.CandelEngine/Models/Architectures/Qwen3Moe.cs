namespace KwaaiNet.CandelEngine.Models.Architectures;

/// <summary>Qwen 3 with experts in every block.</summary>
/// <remarks>Source: arXiv:2505.09388.</remarks>
internal static class Qwen3Moe
{
    public static Architecture Architecture { get; } = Qwen3.Architecture with
    {
        Name = "qwen3moe",
        Required = Qwen3.Architecture.Required | BlockParts.Experts,
    };
}
