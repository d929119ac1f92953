namespace KwaaiNet.CandelEngine.Models.Architectures;

/// <summary>Gemma 3: as Gemma 2, with norms of queries and keys in place of the capped scores, and five of six blocks seeing a window, which turn by a base of their own.</summary>
/// <remarks>
/// Source: arXiv:2503.19786. The longer context stretches the rotation of the blocks that see all positions only.
/// Files come in two dialects. llama.cpp's converter writes <c>rope.freq_base</c> and <c>rope.freq_base_swa</c>; Ollama's writes
/// <c>rope.global.freq_base</c> and <c>rope.local.freq_base</c>, and for the models that see images neither these nor epsilon nor the stretch.
/// </remarks>
internal static class Gemma3
{
    private const int BlocksOf27B = 62;
    private const float LocalBase = 10_000;

    // Of models from 4 B on, where the file leaves them out.
    private const float GlobalBase = 1_000_000;
    private const float GlobalStretch = 8;

    public static Architecture Architecture { get; } = new("gemma3")
    {
        Required = BlockParts.PostNorms | BlockParts.QueryKeyNorm,
        Optional = BlockParts.FusedQueryKeyValue,
        DefaultEpsilon = 1e-6f,
        Complete = (read, shape) => Windows.Alternating(
            read,
            Gemma2.Gemma(Turning(read, shape), BlocksOf27B),
            period: 6,
            window: 0,
            new RopeSettings(read.Number("rope.freq_base_swa", 1, 1e12f, read.Number("rope.local.freq_base", 1, 1e12f, LocalBase)))) with
        {
            LogitSoftcap = read.Number("final_logit_softcapping", 0, 1e6f, 0),
        },
    };

    private static ModelShape Turning(ShapeReader read, ModelShape shape)
    {
        if (read.Has("rope.freq_base"))
            return shape;

        bool leftOut = !read.Has("attention.layer_norm_rms_epsilon");
        shape = shape with { RopeBase = read.Number("rope.global.freq_base", 1, 1e12f, leftOut ? GlobalBase : shape.RopeBase) };
        bool stretched = leftOut && shape.RopeScaling is null && shape.BlockCount is (34 or 48 or BlocksOf27B);
        return stretched ? shape with { RopeScaling = new RopeScaling { Factor = GlobalStretch, OriginalContext = shape.ContextLength } } : shape;
    }
}
