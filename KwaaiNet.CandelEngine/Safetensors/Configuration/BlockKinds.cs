using KwaaiNet.CandelEngine.Files;
using KwaaiNet.CandelEngine.Models;

namespace KwaaiNet.CandelEngine.Safetensors.Configuration;

/// <summary>What <c>config.json</c> says block by block, where GGUF's keys cannot: taken over, or refused by name where the engine does otherwise.</summary>
internal static class BlockKinds
{
    private const string Windowed = "sliding_attention";
    private const string Full = "full_attention";

    /// <summary>Every block sees all positions.</summary>
    /// <exception cref="ModelFormatException">The model turns windows on.</exception>
    public static ModelShape NoWindow(ConfigJson config, ModelShape shape) =>
        config.Flag("use_sliding_window") == true || config.Texts("layer_types")?.Contains(Windowed) == true ? throw config.NotRun("windows of attention in some blocks") : shape;

    /// <summary>Takes over which blocks see a window: <c>layer_types</c>, a word for each block.</summary>
    public static ModelShape Windows(ConfigJson config, ModelShape shape)
    {
        if (config.Texts("layer_types") is not { } types)
            return shape;
        if (types.Length != shape.BlockCount || Array.Exists(types, type => type is not (Windowed or Full)))
            throw config.Problem($"'layer_types' is not one of '{Windowed}' and '{Full}' for each of {shape.BlockCount} blocks");
        bool[] windowed = [.. types.Select(type => type == Windowed)];
        bool[] known = [.. Enumerable.Range(0, shape.BlockCount).Select(block => shape.AttentionOf(block).Window > 0)];
        if (windowed.SequenceEqual(known))
            return shape;

        // Another order than the architecture's: each kind of block has the window and rotation that its kind has there.
        int window = Array.IndexOf(known, true);
        int full = Array.IndexOf(known, false);
        if ((window < 0 && windowed.Contains(true)) || (full < 0 && windowed.Contains(false)))
            throw config.NotRun("an order of windows of its own");
        return shape with { Attention = [.. windowed.Select(w => shape.AttentionOf(w ? window : full))] };
    }

    /// <summary>Gemma 2 and 3: queries are scaled by <c>1 / √query_pre_attn_scalar</c>, and a cap that is null is none.</summary>
    public static ModelShape Gemma(ConfigJson config, ModelShape shape)
    {
        const double Usual = 256;
        double scalar = config.Number("query_pre_attn_scalar") ?? Usual;
        if (!(scalar > 0))
            throw config.Problem($"'query_pre_attn_scalar' is {scalar}; it must be above 0");
        return Windows(config, shape) with
        {
            AttentionScale = (float)(1 / Math.Sqrt(scalar)),
            AttentionSoftcap = Cap("attn_logit_softcapping", shape.AttentionSoftcap),
            LogitSoftcap = Cap("final_logit_softcapping", shape.LogitSoftcap),
        };

        float Cap(string key, float otherwise) =>
            config.IsNull(key) ? 0
            : config.Number(key) is not { } cap ? otherwise
            : cap is >= 0 and <= 1e6 ? (float)cap : throw config.Problem($"'{key}' is {cap}; it must be from 0 to 1000000");
    }

    /// <summary>Which blocks turn queries and keys: <c>no_rope_layers</c> has a 1 for those that do, <c>no_rope_layer_interval</c> a period.</summary>
    public static ModelShape BlocksWithoutRope(ConfigJson config, ModelShape shape)
    {
        RopeSettings rope = new(shape.RopeBase, shape.RopeScaling);
        if (config.Numbers("no_rope_layers") is { Length: > 0 } turns)
        {
            return turns.Length == shape.BlockCount
                ? shape with { Attention = [.. turns.Select(turn => new BlockAttention(0, turn != 0 ? rope : null))] }
                : throw config.Problem($"'no_rope_layers' has {turns.Length} entries for {shape.BlockCount} blocks");
        }

        return config.Integer("no_rope_layer_interval") is not { } period ? shape
            : period is > 0 and < int.MaxValue ? shape with { Attention = [.. Enumerable.Range(1, shape.BlockCount).Select(nth => new BlockAttention(0, nth % period == 0 ? null : rope))] }
            : throw config.Problem($"'no_rope_layer_interval' is {period}; it must be above 0");
    }

    /// <summary>Every block has experts, whose weights are normalised where <c>norm_topk_prob</c> says so.</summary>
    public static ModelShape ExpertsEverywhere(ConfigJson config, ModelShape shape) =>
        (config.Integer("decoder_sparse_step") ?? 1) != 1 || config.Numbers("mlp_only_layers") is { Length: > 0 }
            ? throw config.NotRun("experts in some blocks only")
            : shape with { Experts = shape.Experts! with { NormalizeWeights = config.Flag("norm_topk_prob") ?? false } };
}
