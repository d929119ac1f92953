namespace KwaaiNet.CandelEngine.Models.Architectures;

/// <summary>What a block may hold beyond the nine tensors of a plain Llama block, as GGUF names it.</summary>
[Flags]
internal enum BlockParts
{
    None = 0,

    /// <summary><c>attn_q.bias</c>, <c>attn_k.bias</c>, <c>attn_v.bias</c> (or <c>attn_qkv.bias</c>): added to queries, keys and values.</summary>
    QueryKeyValueBias = 1 << 0,

    /// <summary><c>attn_output.bias</c>.</summary>
    AttentionOutputBias = 1 << 1,

    /// <summary><c>ffn_gate.bias</c>, <c>ffn_up.bias</c>, <c>ffn_down.bias</c>.</summary>
    FeedForwardBias = 1 << 2,

    /// <summary><c>attn_q_norm.weight</c>, <c>attn_k_norm.weight</c>: RMSNorm of each query and key head before it turns.</summary>
    QueryKeyNorm = 1 << 3,

    /// <summary><c>post_attention_norm.weight</c>, <c>post_ffw_norm.weight</c>: RMSNorm of what attention and the feed-forward layer add to the residual.</summary>
    PostNorms = 1 << 4,

    /// <summary><c>attn_qkv.weight</c> instead of three matrices: query rows, then key rows, then value rows.</summary>
    FusedQueryKeyValue = 1 << 5,

    /// <summary><c>ffn_up.weight</c> of twice the width and no <c>ffn_gate.weight</c>: gate rows, then up rows.</summary>
    FusedGateUp = 1 << 6,

    /// <summary><c>ffn_gate_inp.weight</c> and <c>ffn_gate_exps</c>, <c>ffn_up_exps</c>, <c>ffn_down_exps</c> (or one tensor an expert): a mixture of experts, where the metadata counts them.</summary>
    Experts = 1 << 7,

    /// <summary><c>rope_freqs.weight</c>, of the whole model: each pair's RoPE frequency is divided by its number.</summary>
    RopeDivisors = 1 << 8,

    /// <summary><c>rope_factors_long.weight</c> and <c>rope_factors_short.weight</c>, of the whole model: divisors for a context beyond the original one, and within it.</summary>
    LongRopeDivisors = 1 << 9,
}
