using System.Text.RegularExpressions;
using KwaaiNet.Fuzz.Mutation;

namespace KwaaiNet.Fuzz.Seeds;

/// <summary>Configurations of small models, with all that such files say.</summary>
internal static partial class ConfigSeeds
{
    private const string Common = """
        "hidden_size": 64, "intermediate_size": 96, "num_hidden_layers": 4, "num_attention_heads": 4, "num_key_value_heads": 2, "max_position_embeddings": 128,
        "rms_norm_eps": 1e-05, "vocab_size": 101, "tie_word_embeddings": true, "hidden_act": "silu", "attention_bias": false, "torch_dtype": "bfloat16",
        """;

    private static readonly (string Kind, string Own)[] s_kinds =
    [
        ("llama", "\"rope_theta\": 500000.0, \"rope_scaling\": { \"factor\": 8.0, \"low_freq_factor\": 1.0, \"high_freq_factor\": 4.0, \"original_max_position_embeddings\": 64, \"rope_type\": \"llama3\" }, \"eos_token_id\": [2, 3]"),
        ("llama", "\"rope_scaling\": { \"type\": \"linear\", \"factor\": 2.0 }, \"mlp_bias\": false, \"pretraining_tp\": 1, \"quantization_config\": null"),
        ("mistral", "\"sliding_window\": 32, \"head_dim\": 16"),
        ("mixtral", "\"num_local_experts\": 4, \"num_experts_per_tok\": 2, \"sliding_window\": null"),
        ("qwen2", "\"use_sliding_window\": false, \"sliding_window\": 32, \"max_window_layers\": 2"),
        ("qwen3", "\"head_dim\": 24, \"rope_scaling\": { \"rope_type\": \"yarn\", \"factor\": 4.0, \"original_max_position_embeddings\": 32, \"beta_fast\": 32, \"beta_slow\": 1, \"attention_factor\": 1.1 }"),
        ("qwen3_moe", "\"num_experts\": 6, \"num_experts_per_tok\": 3, \"moe_intermediate_size\": 32, \"norm_topk_prob\": true, \"decoder_sparse_step\": 1, \"mlp_only_layers\": []"),
        ("gemma2", "\"hidden_activation\": \"gelu_pytorch_tanh\", \"sliding_window\": 8, \"attn_logit_softcapping\": 50.0, \"final_logit_softcapping\": 30.0, \"query_pre_attn_scalar\": 256, \"head_dim\": 16"),
        ("gemma3_text", "\"hidden_activation\": \"gelu_pytorch_tanh\", \"sliding_window\": 8, \"rope_local_base_freq\": 10000.0, \"query_pre_attn_scalar\": 256, \"layer_types\": [\"sliding_attention\", \"full_attention\", \"sliding_attention\", \"full_attention\"]"),
        ("gemma3", "\"text_config\": { \"hidden_size\": 64, \"intermediate_size\": 96, \"num_hidden_layers\": 4, \"sliding_window\": 8 }"),
        ("phi3", "\"sliding_window\": 8, \"partial_rotary_factor\": 0.5, \"original_max_position_embeddings\": 64, \"rope_scaling\": { \"type\": \"longrope\", \"long_factor\": [1.0, 1.1, 1.2, 1.3], \"short_factor\": [1.0, 1.0, 1.0, 1.0] }"),
        ("smollm3", "\"no_rope_layers\": [1, 1, 1, 0], \"no_rope_layer_interval\": 4"),
        ("granite", "\"embedding_multiplier\": 12.0, \"residual_multiplier\": 0.22, \"attention_multiplier\": 0.0078125, \"logits_scaling\": 8.0"),
    ];

    public static IReadOnlyList<FuzzSeed> All() =>
        [.. s_kinds.Select(kind => FuzzSeed.Text(kind.Kind, $"{{ \"model_type\": \"{kind.Kind}\", \"architectures\": [\"X\"], {Common} {kind.Own} }}"))];

    /// <summary>Every word in quotation marks that the seeds have.</summary>
    public static IReadOnlyList<byte[]> Words() =>
        JsonSeeds.Words([.. s_kinds.Select(kind => kind.Kind), .. s_kinds.SelectMany(kind => Quoted().Matches(Common + kind.Own)).Select(match => match.Groups[1].Value).Distinct()]);

    [GeneratedRegex("\"([^\"]+)\"")]
    private static partial Regex Quoted();
}
