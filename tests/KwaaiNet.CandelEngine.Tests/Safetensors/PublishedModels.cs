using System.Text.Json.Nodes;
using KwaaiNet.CandelEngine.Safetensors;

namespace KwaaiNet.CandelEngine.Tests.Safetensors;

/// <summary>A model of every kind that is read from safetensors, with what its files and converters say.</summary>
internal static class PublishedModels
{
    private const int Half = PublishedModel.HeadSize / 2;

    private static readonly Dictionary<string, Func<PublishedModel>> s_makers = new()
    {
        ["llama"] = () => Llama("llama"),
        ["llama, BF16, tied"] = () => new PublishedModel("llama", "llama", 2) { Permutes = true, Type = SafetensorsType.BF16 }.AddAttention().AddFeedForward().AddEnds(tied: true),
        ["llama, F16, biases"] = () => new PublishedModel("llama", "llama", 3) { Permutes = true, Type = SafetensorsType.F16 }.AddAttention(bias: true).AddFeedForward().AddEnds(),
        ["llama 3.1"] = Llama3,
        ["mistral"] = () => Say(Llama("mistral"), "sliding_window", 7).With("attention.sliding_window", 7),
        ["mixtral"] = () =>
        {
            PublishedModel model = new("mixtral", "llama", 4) { Permutes = true };
            model.Config["num_local_experts"] = PublishedModel.Experts;
            model.Config["num_experts_per_tok"] = 2;
            model.Config["intermediate_size"] = PublishedModel.ExpertWidth;
            return model.With("expert_count", PublishedModel.Experts).With("expert_used_count", 2).With("expert_feed_forward_length", PublishedModel.ExpertWidth)
                .AddAttention().AddExperts("block_sparse_moe", "w1", "w3", "w2").AddEnds();
        },
        ["qwen2"] = () => new PublishedModel("qwen2", "qwen2", 5) { Type = SafetensorsType.BF16 }.AddAttention(bias: true).AddFeedForward().AddEnds(tied: true),
        ["qwen2, yarn"] = () =>
        {
            PublishedModel model = new("qwen2", "qwen2", 6);
            model.Config["rope_scaling"] = new JsonObject { ["type"] = "yarn", ["factor"] = 4.0, ["original_max_position_embeddings"] = 16 };
            return model.With("rope.scaling.type", "yarn").With("rope.scaling.factor", 4.0).With("rope.scaling.original_context_length", 16).AddAttention(bias: true).AddFeedForward().AddEnds();
        },
        ["qwen3"] = () => new PublishedModel("qwen3", "qwen3", 7) { Type = SafetensorsType.F16 }.AddAttention(norms: true).AddFeedForward().AddEnds(tied: true),
        ["qwen3_moe"] = () =>
        {
            PublishedModel model = new("qwen3_moe", "qwen3moe", 8);
            model.Config["num_experts"] = PublishedModel.Experts;
            model.Config["num_experts_per_tok"] = 2;
            model.Config["moe_intermediate_size"] = PublishedModel.ExpertWidth;
            model.Config["norm_topk_prob"] = true;
            return model.With("expert_count", PublishedModel.Experts).With("expert_used_count", 2).With("expert_feed_forward_length", PublishedModel.ExpertWidth)
                .AddAttention(norms: true).AddExperts("mlp", "gate_proj", "up_proj", "down_proj").AddEnds();
        },
        ["gemma2"] = () =>
        {
            PublishedModel model = new("gemma2", "gemma2", 9) { NormsLessOne = true };
            model.Config["hidden_activation"] = "gelu_pytorch_tanh";
            model.Config["query_pre_attn_scalar"] = PublishedModel.HeadSize;
            model.Config["sliding_window"] = 6;
            model.Config["attn_logit_softcapping"] = 50.0;
            model.Config["final_logit_softcapping"] = 30.0;
            model.With("attention.sliding_window", 6).With("attn_logit_softcapping", 50.0).With("final_logit_softcapping", 30.0);
            return AddPostNorms(model.AddAttention().AddFeedForward("pre_feedforward_layernorm")).AddEnds(tied: true);
        },
        ["gemma3_text"] = () =>
        {
            PublishedModel model = new("gemma3_text", "gemma3", 10) { NormsLessOne = true };
            model.Config["query_pre_attn_scalar"] = PublishedModel.HeadSize;
            model.Config["sliding_window"] = 6;
            model.Config["sliding_window_pattern"] = 3;
            model.Config["rope_local_base_freq"] = 1000.0;
            model.Config["rope_scaling"] = new JsonObject { ["rope_type"] = "linear", ["factor"] = 8.0 };
            model.With("attention.sliding_window", 6).With("attention.sliding_window_pattern", 3).With("rope.freq_base_swa", 1000.0).With("rope.scaling.type", "linear").With("rope.scaling.factor", 8.0);
            return AddPostNorms(model.AddAttention(norms: true).AddFeedForward("pre_feedforward_layernorm")).AddEnds(tied: true);
        },
        ["phi3"] = Phi3,
        ["smollm3"] = () =>
        {
            PublishedModel model = new("smollm3", "smollm3", 11) { Permutes = true };
            model.Config["no_rope_layers"] = new JsonArray(1, 1, 1, 0);
            return model.AddAttention().AddFeedForward().AddEnds(tied: true);
        },
        ["granite"] = () =>
        {
            PublishedModel model = new("granite", "granite", 12) { Permutes = true };
            model.Config["embedding_multiplier"] = 12.0;
            model.Config["residual_multiplier"] = 0.22;
            model.Config["attention_multiplier"] = 0.0625;
            model.Config["logits_scaling"] = 8.0;
            return model.With("embedding_scale", 12.0).With("residual_scale", 0.22).With("attention.scale", 0.0625).With("logit_scale", 8.0).AddAttention().AddFeedForward().AddEnds(tied: true);
        },
    };

    /// <summary>Names of all.</summary>
    public static IEnumerable<string> Names => s_makers.Keys;

    public static PublishedModel Make(string name) => s_makers[name]();

    private static PublishedModel Llama(string kind) => new PublishedModel(kind, "llama", 1) { Permutes = true }.AddAttention().AddFeedForward().AddEnds();

    private static PublishedModel Say(PublishedModel model, string key, JsonNode value)
    {
        model.Config[key] = value;
        return model;
    }

    /// <summary>The converter writes what Meta's code computes: waves longer than the original context over <c>low</c> are slowed by the factor, those shorter than it over <c>high</c> are not.</summary>
    private static PublishedModel Llama3()
    {
        const double Factor = 8, Low = 1, High = 4, Original = 64;
        PublishedModel model = Llama("llama");
        model.Config["rope_scaling"] = new JsonObject { ["rope_type"] = "llama3", ["factor"] = Factor, ["low_freq_factor"] = Low, ["high_freq_factor"] = High, ["original_max_position_embeddings"] = (int)Original };
        float[] divisors = new float[Half];
        for (int i = 0; i < Half; i++)
        {
            double frequency = Math.Pow(50_000, -2.0 * i / PublishedModel.HeadSize);
            double wave = 2 * Math.PI / frequency;
            double smooth = (Original / wave - Low) / (High - Low);
            double slowed = wave < Original / High ? frequency : wave > Original / Low ? frequency / Factor : ((1 - smooth) * frequency / Factor) + (smooth * frequency);
            divisors[i] = (float)(frequency / slowed);
        }

        return model.Add("", "rope_freqs.weight", 1, Half, divisors);
    }

    private static PublishedModel Phi3()
    {
        PublishedModel model = new("phi3", "phi3", 13);
        float[] longer = [.. Enumerable.Range(0, Half).Select(i => 1 + (0.5f * i))];
        float[] shorter = [.. Enumerable.Range(0, Half).Select(i => 1 + (0.125f * i))];
        model.Config["sliding_window"] = 9;
        model.Config["original_max_position_embeddings"] = 64;
        model.Config["rope_scaling"] = new JsonObject
        {
            ["type"] = "longrope",
            ["long_factor"] = new JsonArray([.. longer.Select(f => (JsonNode)f)]),
            ["short_factor"] = new JsonArray([.. shorter.Select(f => (JsonNode)f)]),
        };
        // √(1 + ln 4 / ln 64): the context is four times the original one.
        model.With("attention.sliding_window", 9).With("rope.scaling.type", "longrope").With("rope.scaling.original_context_length", 64).With("rope.scaling.attn_factor", Math.Sqrt(1 + (1.0 / 3)));
        for (int b = 0; b < PublishedModel.Blocks; b++)
        {
            (string hf, string gguf) = ($"model.layers.{b}.", $"blk.{b}.");
            model.Add(hf + "input_layernorm.weight", gguf + "attn_norm.weight", 1, PublishedModel.Width)
                .Add(hf + "self_attn.qkv_proj.weight", gguf + "attn_qkv.weight", (PublishedModel.Heads + (2 * PublishedModel.KvHeads)) * PublishedModel.HeadSize, PublishedModel.Width)
                .Add(hf + "self_attn.o_proj.weight", gguf + "attn_output.weight", PublishedModel.Width, PublishedModel.Heads * PublishedModel.HeadSize)
                .Add(hf + "post_attention_layernorm.weight", gguf + "ffn_norm.weight", 1, PublishedModel.Width)
                .Add(hf + "mlp.gate_up_proj.weight", gguf + "ffn_up.weight", 2 * PublishedModel.FeedForward, PublishedModel.Width)
                .Add(hf + "mlp.down_proj.weight", gguf + "ffn_down.weight", PublishedModel.Width, PublishedModel.FeedForward);
        }

        return model.AddEnds().Add("", "rope_factors_long.weight", 1, Half, longer).Add("", "rope_factors_short.weight", 1, Half, shorter);
    }

    private static PublishedModel AddPostNorms(PublishedModel model)
    {
        for (int b = 0; b < PublishedModel.Blocks; b++)
        {
            model.Add($"model.layers.{b}.post_attention_layernorm.weight", $"blk.{b}.post_attention_norm.weight", 1, PublishedModel.Width)
                .Add($"model.layers.{b}.post_feedforward_layernorm.weight", $"blk.{b}.post_ffw_norm.weight", 1, PublishedModel.Width);
        }

        return model;
    }
}
