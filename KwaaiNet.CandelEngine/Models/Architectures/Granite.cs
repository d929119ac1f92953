namespace KwaaiNet.CandelEngine.Models.Architectures;

/// <summary>Granite 3 and later, dense: the plain block with constant scales on embeddings, scores, what is added to the residual, and logits.</summary>
/// <remarks>
/// Source: IBM, "Granite 3.0 Language Models" (2024). Logits are divided by <c>logit_scale</c>. A file whose <c>rope.scaling.finetuned</c>
/// is false has no rotation at all.
/// </remarks>
internal static class Granite
{
    public static Architecture Architecture { get; } = new("granite")
    {
        Optional = BlockParts.QueryKeyValueBias | BlockParts.AttentionOutputBias | BlockParts.FeedForwardBias | BlockParts.FusedQueryKeyValue
            | BlockParts.RopeDivisors,
        Complete = Complete,
    };

    internal static ModelShape Complete(ShapeReader read, ModelShape shape) => Llama.WithScale(read, shape) with
    {
        EmbeddingScale = OneWhenZero(read.Number("embedding_scale", 0, 1e6f, 0)),
        ResidualScale = OneWhenZero(read.Number("residual_scale", 0, 1e6f, 0)),
        LogitScale = 1f / read.Number("logit_scale", 1e-6f, 1e6f),
        Attention = read.Flag("rope.scaling.finetuned", otherwise: true) ? [] : [.. new BlockAttention[shape.BlockCount]],
        HiddenExceedsHalf = true,
    };

    private static float OneWhenZero(float scale) => scale == 0 ? 1 : scale;
}
