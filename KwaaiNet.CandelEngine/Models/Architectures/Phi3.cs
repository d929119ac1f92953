namespace KwaaiNet.CandelEngine.Models.Architectures;

/// <summary>Phi 3, 3.5 and 4: query, key and value in one matrix, gate and up in another; long contexts by two sets of RoPE divisors.</summary>
/// <remarks>Source: arXiv:2404.14219; the divisors: LongRoPE, arXiv:2402.13753.</remarks>
internal static class Phi3
{
    public static Architecture Architecture { get; } = new("phi3")
    {
        Required = BlockParts.FusedGateUp,
        Optional = BlockParts.FusedQueryKeyValue | BlockParts.QueryKeyValueBias | BlockParts.LongRopeDivisors,
        Complete = (read, shape) => Windows.OnEveryBlock(read, shape with { RopeStyle = RopeStyle.Halves }),
    };
}
