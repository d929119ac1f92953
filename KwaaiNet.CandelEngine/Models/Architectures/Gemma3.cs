namespace KwaaiNet.CandelEngine.Models.Architectures;

/// <summary>Gemma 3: as Gemma 2, with norms of queries and keys in place of the capped scores, and five of six blocks seeing a window, which turn by a base of their own.</summary>
/// <remarks>Source: arXiv:2503.19786. The longer context stretches the rotation of the blocks that see all positions only.</remarks>
internal static class Gemma3
{
    private const int BlocksOf27B = 62;

    public static Architecture Architecture { get; } = new("gemma3")
    {
        Required = BlockParts.PostNorms | BlockParts.QueryKeyNorm,
        Optional = BlockParts.FusedQueryKeyValue,
        Complete = (read, shape) => Windows.Alternating(
            read,
            Gemma2.Gemma(shape, BlocksOf27B),
            period: 6,
            window: 0,
            new RopeSettings(read.Number("rope.freq_base_swa", 1, 1e12f, 10_000))) with
        {
            LogitSoftcap = read.Number("final_logit_softcapping", 0, 1e6f, 0),
        },
    };
}
