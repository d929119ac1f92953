namespace KwaaiNet.CandelEngine.Models.Architectures;

/// <summary>Llama 1 to 3.2, Mistral, Mixtral, and the many models built like them: the plain block, perhaps with experts.</summary>
/// <remarks>
/// Llama 3.1 and later bring divisors of RoPE's frequencies as a tensor. Mistral's window is honoured where a file gives it
/// (<c>attention.sliding_window</c>); common converters leave it out.
/// Sources: arXiv:2302.13971, arXiv:2407.21783, arXiv:2310.06825, arXiv:2401.04088.
/// </remarks>
internal static class Llama
{
    public static Architecture Architecture { get; } = new("llama")
    {
        Optional = BlockParts.QueryKeyValueBias | BlockParts.AttentionOutputBias | BlockParts.FeedForwardBias | BlockParts.FusedQueryKeyValue
            | BlockParts.Experts | BlockParts.RopeDivisors | BlockParts.LongRopeDivisors,
        Complete = (read, shape) => WithScale(read, Windows.OnEveryBlock(read, shape)),
    };

    /// <summary>Takes over <c>attention.scale</c>, where it is there and not 0.</summary>
    internal static ModelShape WithScale(ShapeReader read, ModelShape shape)
    {
        float scale = read.Number("attention.scale", 0, 1e3f, 0);
        return scale == 0 ? shape : shape with { AttentionScale = scale };
    }
}
