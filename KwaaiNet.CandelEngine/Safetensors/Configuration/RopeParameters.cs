using KwaaiNet.CandelEngine.Files;
using KwaaiNet.CandelEngine.Models.Architectures;

namespace KwaaiNet.CandelEngine.Safetensors.Configuration;

// rope_scaling (rope_parameters since version 5 of the library, which moved rope_theta into it):
//
//   { "rope_type" | "type": "default" }
//   { "rope_type": "linear", "factor": 4.0 }
//   { "rope_type": "yarn", "factor": 4.0, "original_max_position_embeddings": 32768, "attention_factor": …, "beta_fast": 32, "beta_slow": 1 }
//   { "rope_type": "llama3", "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0, "original_max_position_embeddings": 8192 }
//   { "full_attention": { … }, "sliding_attention": { "rope_type": "default", "rope_theta": 10000.0 } }     Gemma 3 since version 5
//   { "rope_type": "longrope" | "su", "long_factor": [ … ], "short_factor": [ … ], "attention_factor": … }, original_max_position_embeddings beside it

/// <summary>How RoPE was stretched, as <c>config.json</c> says it, in GGUF's keys and tensors.</summary>
internal sealed class RopeParameters
{
    private RopeParameters()
    {
    }

    /// <summary>GGUF's keys, without the architecture's prefix; a value is a text or a number.</summary>
    public Dictionary<string, object> Keys { get; } = [];

    /// <summary>Tensors of frequencies' divisors that the architecture reads, <c>[RopeSize / 2]</c>, by GGUF's names.</summary>
    public Dictionary<string, float[]> Tensors { get; } = [];

    /// <summary>Reads the parameters.</summary>
    /// <param name="config">The configuration.</param>
    /// <param name="architecture">What runs the model.</param>
    /// <param name="usualBase">RoPE's base where the configuration does not say.</param>
    /// <param name="headSize">Numbers of a head.</param>
    /// <exception cref="ModelFormatException">The scaling is not run, or says what cannot be.</exception>
    public static RopeParameters Read(ConfigJson config, Architecture architecture, double usualBase, double headSize)
    {
        RopeParameters result = new();
        ConfigJson? rope = config.Part("rope_scaling") ?? config.Part("rope_parameters");
        if (rope?.Part("full_attention") is { } full)
        {
            ConfigJson? local = rope.Part("sliding_attention");
            if (local is not null && (local.Text("rope_type") ?? "default") != "default")
                throw config.NotRun("RoPE scaling in blocks with a window");
            if (local?.Number("rope_theta") is { } localBase)
                result.Keys["rope.freq_base_swa"] = localBase;
            rope = full;
        }

        double ropeBase = config.Number("rope_theta") ?? rope?.Number("rope_theta") ?? usualBase;
        double size = Math.Floor(headSize * (config.Number("partial_rotary_factor") ?? rope?.Number("partial_rotary_factor") ?? 1));
        if (!(size is >= 2 and <= 1 << 14))
            throw config.Problem($"RoPE would turn {size} numbers of a head; there are 2 to {1 << 14}");
        result.Keys["rope.freq_base"] = ropeBase;
        result.Keys["rope.dimension_count"] = size;
        if (rope is not null)
            result.ReadScaling(config, rope, architecture, (int)size, ropeBase);
        return result;
    }

    private void ReadScaling(ConfigJson config, ConfigJson rope, Architecture architecture, int ropeSize, double ropeBase)
    {
        string type = rope.Text("rope_type") ?? rope.Text("type") ?? "default";
        switch (type)
        {
            case "default":
                break;
            case "linear":
                Keys["rope.scaling.type"] = "linear";
                Keys["rope.scaling.factor"] = Positive(rope, "factor");
                break;
            case "yarn":
                ReadYarn(config, rope);
                break;
            case "llama3" when architecture.Allows(BlockParts.RopeDivisors):
                Tensors["rope_freqs.weight"] = Llama3Divisors(rope, ropeSize, ropeBase);
                break;
            case "longrope" or "su" when architecture.Allows(BlockParts.LongRopeDivisors):
                ReadLongRope(config, rope, ropeSize);
                break;
            default:
                throw config.NotRun($"RoPE scaling ('{type}')");
        }
    }

    private void ReadYarn(ConfigJson config, ConfigJson rope)
    {
        if (rope.Flag("truncate") == false)
            throw config.NotRun("YaRN with bounds that are not rounded");
        double factor = Positive(rope, "factor");
        Keys["rope.scaling.type"] = "yarn";
        Keys["rope.scaling.factor"] = factor;
        Keys["rope.scaling.original_context_length"] = (double)(rope.Integer("original_max_position_embeddings") ?? config.Integer("max_position_embeddings") ?? 0);
        foreach (string beta in (ReadOnlySpan<string>)["beta_fast", "beta_slow"])
        {
            if (rope.Number(beta) is { } value)
                Keys["rope.scaling.yarn_" + beta] = value;
        }

        // The library multiplies cosines and sines by the whole of it; GGUF's key by what is left after the paper's temperature.
        double paper = Temperature(factor, 1);
        double? whole = rope.Number("attention_factor")
            ?? (rope.Number("mscale") is { } over && rope.Number("mscale_all_dim") is { } under ? Temperature(factor, over) / Temperature(factor, under) : null);
        if (whole is { } magnitude)
            Keys["rope.scaling.attn_factor"] = magnitude / paper;
    }

    private void ReadLongRope(ConfigJson config, ConfigJson rope, int ropeSize)
    {
        if (rope.Has("short_mscale") || rope.Has("long_mscale"))
            throw config.NotRun("RoPE scaling ('longrope') with scales of its own");
        double context = config.Integer("max_position_embeddings") ?? 0;
        double original = rope.Integer("original_max_position_embeddings") ?? config.Integer("original_max_position_embeddings") ?? context;
        double stretch = original > 0 ? context / original : 1;
        Keys["rope.scaling.type"] = "longrope";
        Keys["rope.scaling.original_context_length"] = original;
        Keys["rope.scaling.attn_factor"] = rope.Number("attention_factor") ?? (stretch > 1 && original > 1 ? Math.Sqrt(1 + (Math.Log(stretch) / Math.Log(original))) : 1);
        foreach (string set in (ReadOnlySpan<string>)["long", "short"])
        {
            string key = set + "_factor";
            double[]? divisors = rope.Numbers(key);
            if (divisors is null)
                rope.ThrowMissing(key);
            if (divisors.Length != ropeSize / 2)
                throw config.Problem($"'{key}' has {divisors.Length} numbers; RoPE turns {ropeSize / 2} pairs");
            Tensors[$"rope_factors_{set}.weight"] = Array.ConvertAll(divisors, divisor => (float)divisor);
        }
    }

    /// <summary>Llama 3.1's rule: long waves are slowed by the factor, short ones not, with a ramp between.</summary>
    /// <remarks>Source: <c>apply_scaling</c> in Meta's <c>llama_models/llama3/model.py</c>; arXiv:2407.21783.</remarks>
    internal static float[] Llama3Divisors(ConfigJson rope, int ropeSize, double ropeBase)
    {
        double factor = Positive(rope, "factor");
        double low = Positive(rope, "low_freq_factor");
        double high = Positive(rope, "high_freq_factor");
        double original = Positive(rope, "original_max_position_embeddings");
        if (high <= low)
            throw rope.Problem($"'high_freq_factor' {high} is not above 'low_freq_factor' {low}");
        float[] divisors = new float[ropeSize / 2];
        for (int i = 0; i < divisors.Length; i++)
        {
            double wave = 2 * Math.PI * Math.Pow(ropeBase, 2.0 * i / ropeSize);
            double share = Math.Clamp(((original / wave) - low) / (high - low), 0, 1);
            divisors[i] = (float)(1 / (((1 - share) / factor) + share));
        }

        return divisors;
    }

    private static double Positive(ConfigJson rope, string key)
    {
        double? value = rope.Number(key);
        if (value is null)
            rope.ThrowMissing(key);
        return value > 0 ? value.Value : throw rope.Problem($"'{key}' is {value}; it must be above 0");
    }

    private static double Temperature(double factor, double multiplier) => factor <= 1 ? 1 : 1 + (0.1 * multiplier * Math.Log(factor));
}
