namespace KwaaiNet.CandelEngine.Models.Architectures;

/// <summary>
/// Gemma 2: embeddings are scaled up, what is added to the residual is normalised too, scores and logits are capped, every second
/// block sees a window, and the gate is GELU.
/// </summary>
/// <remarks>Source: arXiv:2408.00118. GGUF's converter has already added 1 to the norms' weights.</remarks>
internal static class Gemma2
{
    // The 27 B model, whose queries are scaled by its width a head instead of the head's size.
    private const int BlocksOf27B = 46;

    public static Architecture Architecture { get; } = new("gemma2")
    {
        Required = BlockParts.PostNorms,
        Optional = BlockParts.FusedQueryKeyValue,
        Complete = (read, shape) => Windows.Alternating(
            read,
            Gemma(shape, BlocksOf27B),
            period: 2,
            window: 4096,
            new RopeSettings(read.Number("rope.freq_base_swa", 1, 1e12f, shape.RopeBase), shape.RopeScaling)) with
        {
            AttentionSoftcap = read.Number("attn_logit_softcapping", 0, 1e6f, 50),
            LogitSoftcap = read.Number("final_logit_softcapping", 0, 1e6f, 30),
        },
    };

    /// <summary>What Gemma 2 and 3 have in common.</summary>
    internal static ModelShape Gemma(ModelShape shape, int blocksOf27B) => shape with
    {
        RopeStyle = RopeStyle.Halves,
        EmbeddingScale = MathF.Sqrt(shape.Width),
        AttentionScale = 1f / MathF.Sqrt(shape.BlockCount == blocksOf27B ? shape.Width / shape.HeadCount : shape.HeadSize),
        Activation = GateActivation.GeluTanh,
        HiddenExceedsHalf = true,
    };
}
