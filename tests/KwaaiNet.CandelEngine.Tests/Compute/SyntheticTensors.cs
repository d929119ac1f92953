namespace KwaaiNet.CandelEngine.Tests.Compute;

/// <summary>Names and shapes of a block's tensors in a synthetic model, without the block's prefix.</summary>
internal static class SyntheticTensors
{
    private const int Width = SyntheticModel.Width;

    internal static IEnumerable<(string Name, int Rows, int Columns, int Slices)> OfAttention(SyntheticKind kind)
    {
        int query = SyntheticModel.Heads * kind.HeadSize;
        int keyValue = SyntheticModel.KvHeads * kind.HeadSize;
        (string Name, int Rows)[] projections = kind.FusedQueryKeyValue
            ? [("attn_qkv", query + (2 * keyValue))]
            : [("attn_q", query), ("attn_k", keyValue), ("attn_v", keyValue)];

        yield return ("attn_norm.weight", 1, Width, 1);
        foreach ((string name, int rows) in projections) yield return (name + ".weight", rows, Width, 1);
        if (kind.QueryKeyValueBias)
        {
            foreach ((string name, int rows) in projections) yield return (name + ".bias", 1, rows, 1);
        }

        if (kind.QueryKeyNorm)
        {
            yield return ("attn_q_norm.weight", 1, kind.HeadSize, 1);
            yield return ("attn_k_norm.weight", 1, kind.HeadSize, 1);
        }

        yield return ("attn_output.weight", Width, query, 1);
        if (kind.OtherBiases) yield return ("attn_output.bias", 1, Width, 1);
        if (kind.PostNorms) yield return ("post_attention_norm.weight", 1, Width, 1);
    }

    internal static IEnumerable<(string Name, int Rows, int Columns, int Slices)> OfFeedForward(SyntheticKind kind)
    {
        yield return ("ffn_norm.weight", 1, Width, 1);
        if (kind.Experts > 0) yield return ("ffn_gate_inp.weight", kind.Experts, Width, 1);
        (string Name, int Rows, int Columns)[] matrices = kind.FusedGateUp
            ? [("ffn_up", 2 * kind.FeedForward, Width), ("ffn_down", Width, kind.FeedForward)]
            : [("ffn_gate", kind.FeedForward, Width), ("ffn_up", kind.FeedForward, Width), ("ffn_down", Width, kind.FeedForward)];
        foreach ((string name, int rows, int columns) in matrices)
        {
            if (kind.Experts == 0)
                yield return (name + ".weight", rows, columns, 1);
            else if (!kind.ExpertsApart)
                yield return (name + "_exps.weight", rows, columns, kind.Experts);
            for (int expert = 0; expert < kind.Experts && kind.ExpertsApart; expert++) yield return ($"{name}.{expert}.weight", rows, columns, 1);
            if (kind.OtherBiases) yield return (name + ".bias", 1, rows, 1);
        }

        if (kind.PostNorms) yield return ("post_ffw_norm.weight", 1, Width, 1);
    }
}
