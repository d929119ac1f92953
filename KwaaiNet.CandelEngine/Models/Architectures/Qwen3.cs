namespace KwaaiNet.CandelEngine.Models.Architectures;

/// <summary>Qwen 3: every query and key head is normalised before it turns.</summary>
/// <remarks>Source: arXiv:2505.09388.</remarks>
internal static class Qwen3
{
    public static Architecture Architecture { get; } = new("qwen3")
    {
        Required = BlockParts.QueryKeyNorm,
        Optional = BlockParts.QueryKeyValueBias | BlockParts.FusedQueryKeyValue,
        Complete = (_, shape) => shape with { RopeStyle = RopeStyle.Halves },
    };
}
