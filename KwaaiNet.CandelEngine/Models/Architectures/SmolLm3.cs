namespace KwaaiNet.CandelEngine.Models.Architectures;

/// <summary>SmolLM 3: the plain block, but every fourth one does not turn its queries and keys.</summary>
/// <remarks>Source: Hugging Face, "SmolLM3: smol, multilingual, long-context reasoner" (2025); blocks without RoPE: arXiv:2501.18795.</remarks>
internal static class SmolLm3
{
    private const int Period = 4;

    public static Architecture Architecture { get; } = new("smollm3")
    {
        Optional = BlockParts.QueryKeyValueBias | BlockParts.FusedQueryKeyValue,
        Complete = (read, shape) =>
        {
            RopeSettings rope = new(shape.RopeBase, shape.RopeScaling);
            return Llama.WithScale(read, shape) with
            {
                Attention = [.. Enumerable.Range(1, shape.BlockCount).Select(nth => new BlockAttention(0, nth % Period == 0 ? null : rope))],
            };
        },
    };
}
