using KwaaiNet.CandelEngine.Files;

namespace KwaaiNet.CandelEngine.Safetensors.Configuration;

/// <summary>The kinds of models whose <c>config.json</c> is read. A new one is an entry here, if the engine runs its architecture.</summary>
internal static class HuggingFaceArchitectures
{
    private static readonly (string, string)[] s_granite =
    [
        ("embedding_multiplier", "embedding_scale"), ("residual_multiplier", "residual_scale"), ("logits_scaling", "logit_scale"), ("attention_multiplier", "attention.scale"),
    ];

    // In Gemma's blocks this norm comes after attention, not before the feed-forward layer.
    private static readonly Dictionary<string, string> s_gemmaTensors = new()
    {
        ["post_attention_layernorm.weight"] = "post_attention_norm.weight",
        ["pre_feedforward_layernorm.weight"] = "ffn_norm.weight",
        ["post_feedforward_layernorm.weight"] = "post_ffw_norm.weight",
    };

    // What the library's Gemma3TextConfig has where a file is silent; files of the larger models are.
    private static readonly HuggingFaceArchitecture s_gemma3 = new("gemma3_text", "gemma3")
    {
        Defaults = new Dictionary<string, double>
        {
            ["vocab_size"] = 262208,
            ["num_attention_heads"] = 8,
            ["num_key_value_heads"] = 4,
            ["head_dim"] = 256,
            ["max_position_embeddings"] = 131072,
            ["rms_norm_eps"] = 1e-6,
            ["rope_theta"] = 1_000_000,
            ["rope_local_base_freq"] = 10_000,
            ["sliding_window"] = 4096,
        },
        Keys =
        [
            ("sliding_window", "attention.sliding_window"), ("sliding_window_pattern", "attention.sliding_window_pattern"), ("rope_local_base_freq", "rope.freq_base_swa"),
        ],
        Tensors = s_gemmaTensors,
        Activation = "gelu_pytorch_tanh",
        NormsLessOne = true,
        Complete = BlockKinds.Gemma,
    };

    private static readonly HuggingFaceArchitecture[] s_all =
    [
        new("llama", "llama") { Complete = BlockKinds.NoWindow },
        new("mistral", "llama") { Keys = [("sliding_window", "attention.sliding_window")] },
        new("mixtral", "llama")
        {
            Keys = [("sliding_window", "attention.sliding_window"), ("num_local_experts", "expert_count"), ("num_experts_per_tok", "expert_used_count")],
            Tensors = new Dictionary<string, string>
            {
                ["block_sparse_moe.gate.weight"] = "ffn_gate_inp.weight",
                ["block_sparse_moe.experts.*.w1.weight"] = "ffn_gate.*.weight",
                ["block_sparse_moe.experts.*.w2.weight"] = "ffn_down.*.weight",
                ["block_sparse_moe.experts.*.w3.weight"] = "ffn_up.*.weight",
            },
        },
        new("qwen2", "qwen2") { Complete = BlockKinds.NoWindow },
        new("qwen3", "qwen3") { Complete = BlockKinds.NoWindow, Defaults = new Dictionary<string, double> { ["head_dim"] = 128 } },
        new("qwen3_moe", "qwen3moe")
        {
            Keys = [("num_experts", "expert_count"), ("num_experts_per_tok", "expert_used_count"), ("moe_intermediate_size", "expert_feed_forward_length")],
            Tensors = new Dictionary<string, string>
            {
                ["mlp.gate.weight"] = "ffn_gate_inp.weight",
                ["mlp.experts.*.gate_proj.weight"] = "ffn_gate.*.weight",
                ["mlp.experts.*.up_proj.weight"] = "ffn_up.*.weight",
                ["mlp.experts.*.down_proj.weight"] = "ffn_down.*.weight",
            },
            Complete = (config, shape) => BlockKinds.NoWindow(config, BlockKinds.ExpertsEverywhere(config, shape)),
        },
        new("gemma2", "gemma2")
        {
            Keys = [("sliding_window", "attention.sliding_window")],
            Tensors = s_gemmaTensors,
            Activation = "gelu_pytorch_tanh",
            NormsLessOne = true,
            Defaults = new Dictionary<string, double> { ["head_dim"] = 256, ["sliding_window"] = 4096 },
            Complete = BlockKinds.Gemma,
        },
        s_gemma3,
        s_gemma3 with { ModelType = "gemma3", Part = ("text_config", "language_model.") },
        new("phi3", "phi3") { Keys = [("sliding_window", "attention.sliding_window")] },
        new("smollm3", "smollm3") { Complete = (config, shape) => BlockKinds.NoWindow(config, BlockKinds.BlocksWithoutRope(config, shape)) },
        new("granite", "granite") { Keys = s_granite, Defaults = new Dictionary<string, double> { ["logits_scaling"] = 1, ["attention_multiplier"] = 1 } },
    ];

    /// <summary>Finds the kind a configuration names.</summary>
    /// <exception cref="ModelFormatException">It names none, or one that is not run.</exception>
    public static HuggingFaceArchitecture Find(ConfigJson config)
    {
        string? type = config.Text("model_type");
        if (type is null)
            config.ThrowMissing("model_type");
        return Array.Find(s_all, known => known.ModelType == type)
            ?? throw config.Problem($"the model is of the kind '{type}'; from safetensors this engine runs {string.Join(", ", s_all.Select(known => known.ModelType))}. Take a model of one of these, or a GGUF conversion");
    }
}
