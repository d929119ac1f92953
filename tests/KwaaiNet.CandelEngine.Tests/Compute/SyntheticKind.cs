namespace KwaaiNet.CandelEngine.Tests.Compute;

/// <summary>An architecture as a small random model has it: its metadata and its tensors, beside what all models have.</summary>
/// <param name="Name">What tests call it.</param>
/// <param name="Architecture">GGUF's name.</param>
internal sealed record SyntheticKind(string Name, string Architecture)
{
    /// <summary>Numbers in a head; queries may be wider than the model.</summary>
    public int HeadSize { get; init; } = 16;

    /// <summary>Width of the feed-forward layer, or of an expert.</summary>
    public int FeedForward { get; init; } = 107;

    /// <summary>Keys and values beside the dimensions, without the architecture's prefix.</summary>
    public IReadOnlyList<(string Key, object Value)> Metadata { get; init; } = [];

    public bool QueryKeyValueBias { get; init; }

    public bool OtherBiases { get; init; }

    public bool QueryKeyNorm { get; init; }

    public bool PostNorms { get; init; }

    public bool FusedQueryKeyValue { get; init; }

    public bool FusedGateUp { get; init; }

    /// <summary>Experts of a block; 0 for a plain feed-forward layer.</summary>
    public int Experts { get; init; }

    /// <summary>Whether each expert is a tensor of its own, as in the first Mixtral files.</summary>
    public bool ExpertsApart { get; init; }

    /// <summary>Tensors of divisors of RoPE's frequencies.</summary>
    public IReadOnlyList<string> RopeDivisors { get; init; } = [];

    /// <summary>Every architecture and every feature that one block may have.</summary>
    public static IReadOnlyList<SyntheticKind> All { get; } =
    [
        new("llama-window", "llama") { Metadata = [("attention.sliding_window", 5u)] },
        new("llama-linear", "llama") { Metadata = [("rope.scaling.type", "linear"), ("rope.scaling.factor", 4f)] },
        new("llama-yarn", "llama")
        {
            HeadSize = 24,
            Metadata = [("rope.scaling.type", "yarn"), ("rope.scaling.factor", 8f), ("rope.scaling.original_context_length", 20u), ("rope.freq_base", 50f)],
        },
        new("llama-bias", "llama") { QueryKeyValueBias = true, OtherBiases = true },
        new("llama-fused", "llama") { FusedQueryKeyValue = true, QueryKeyValueBias = true },
        new("mixtral", "llama") { Experts = 8, FeedForward = 40, Metadata = [("expert_count", 8u), ("expert_used_count", 2u)] },
        new("mixtral-apart", "llama") { Experts = 4, ExpertsApart = true, Metadata = [("expert_count", 4u), ("expert_used_count", 2u)] },
        new("mistral3", "mistral3") { Metadata = [("rope.scaling.type", "yarn"), ("rope.scaling.factor", 16f), ("rope.scaling.yarn_log_multiplier", 0.5f)] },
        new("qwen2", "qwen2") { QueryKeyValueBias = true },
        new("qwen3", "qwen3") { QueryKeyNorm = true, HeadSize = 24 },
        new("qwen3moe", "qwen3moe")
        {
            QueryKeyNorm = true,
            Experts = 6,
            FeedForward = 33,
            Metadata = [("expert_count", 6u), ("expert_used_count", 3u), ("expert_feed_forward_length", 33u), ("expert_weights_norm", false)],
        },
        new("gemma2", "gemma2")
        {
            PostNorms = true,
            HeadSize = 24,
            Metadata = [("attention.sliding_window", 4u), ("attn_logit_softcapping", 2f), ("final_logit_softcapping", 3f)],
        },
        new("gemma3", "gemma3")
        {
            PostNorms = true,
            QueryKeyNorm = true,
            Metadata =
            [
                ("attention.sliding_window", 4u), ("attention.sliding_window_pattern", 3u), ("rope.freq_base", 100_000f),
                ("rope.scaling.type", "linear"), ("rope.scaling.factor", 8f),
            ],
        },
        new("phi3", "phi3") { FusedQueryKeyValue = true, FusedGateUp = true, Metadata = [("attention.sliding_window", 7u), ("rope.dimension_count", 12u)] },
        new("phi3-long", "phi3")
        {
            FusedQueryKeyValue = true,
            FusedGateUp = true,
            RopeDivisors = ["rope_factors_long.weight", "rope_factors_short.weight"],
            Metadata = [("rope.scaling.original_context_length", 32u), ("rope.scaling.attn_factor", 1.19f)],
        },
        new("smollm3", "smollm3"),
        new("granite", "granite")
        {
            Metadata = [("embedding_scale", 12f), ("residual_scale", 0.22f), ("attention.scale", 0.1f), ("logit_scale", 8f)],
        },
        new("granitemoe", "granitemoe")
        {
            Experts = 5,
            Metadata =
            [
                ("embedding_scale", 6f), ("residual_scale", 0.3f), ("logit_scale", 4f), ("rope.scaling.finetuned", false),
                ("expert_count", 5u), ("expert_used_count", 2u),
            ],
        },
    ];

    public static SyntheticKind Of(string name) => All.Single(k => k.Name == name);
}
