namespace KwaaiNet.CandelEngine.Models.Architectures;

/// <summary>Granite with experts in every block.</summary>
/// <remarks>Source: IBM, "Granite 3.0 Language Models" (2024).</remarks>
internal static class GraniteMoe
{
    public static Architecture Architecture { get; } = Granite.Architecture with
    {
        Name = "granitemoe",
        Optional = Granite.Architecture.Optional & ~BlockParts.FeedForwardBias,
        Required = BlockParts.Experts,
    };
}
