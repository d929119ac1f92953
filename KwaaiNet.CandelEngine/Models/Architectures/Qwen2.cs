namespace KwaaiNet.CandelEngine.Models.Architectures;

/// <summary>Qwen 2 and 2.5: queries, keys and values have a bias.</summary>
/// <remarks>Source: arXiv:2407.10671.</remarks>
internal static class Qwen2
{
    public static Architecture Architecture { get; } = new("qwen2")
    {
        Optional = BlockParts.QueryKeyValueBias | BlockParts.FusedQueryKeyValue,
        Complete = (_, shape) => shape with { RopeStyle = RopeStyle.Halves },
    };
}
