using System.Globalization;

namespace KwaaiNet.CandelEngine.Safetensors.Configuration;

/// <summary>Hugging Face's names of tensors, and GGUF's that mean the same.</summary>
internal static class TensorNames
{
    private const string Blocks = "model.layers.";

    private static readonly Dictionary<string, string> s_model = new(StringComparer.Ordinal)
    {
        ["model.embed_tokens.weight"] = "token_embd.weight",
        ["model.norm.weight"] = "output_norm.weight",
        ["lm_head.weight"] = "output.weight",
    };

    private static readonly Dictionary<string, string> s_block = new(StringComparer.Ordinal)
    {
        ["input_layernorm.weight"] = "attn_norm.weight",
        ["self_attn.q_proj.weight"] = "attn_q.weight",
        ["self_attn.q_proj.bias"] = "attn_q.bias",
        ["self_attn.k_proj.weight"] = "attn_k.weight",
        ["self_attn.k_proj.bias"] = "attn_k.bias",
        ["self_attn.v_proj.weight"] = "attn_v.weight",
        ["self_attn.v_proj.bias"] = "attn_v.bias",
        ["self_attn.qkv_proj.weight"] = "attn_qkv.weight",
        ["self_attn.q_norm.weight"] = "attn_q_norm.weight",
        ["self_attn.k_norm.weight"] = "attn_k_norm.weight",
        ["self_attn.o_proj.weight"] = "attn_output.weight",
        ["self_attn.o_proj.bias"] = "attn_output.bias",
        ["post_attention_layernorm.weight"] = "ffn_norm.weight",
        ["mlp.gate_proj.weight"] = "ffn_gate.weight",
        ["mlp.gate_proj.bias"] = "ffn_gate.bias",
        ["mlp.up_proj.weight"] = "ffn_up.weight",
        ["mlp.up_proj.bias"] = "ffn_up.bias",
        ["mlp.gate_up_proj.weight"] = "ffn_up.weight",
        ["mlp.down_proj.weight"] = "ffn_down.weight",
        ["mlp.down_proj.bias"] = "ffn_down.bias",
    };

    /// <summary>GGUF's name of a tensor; empty for one that is not needed; null for one that is no part of the model as we know it.</summary>
    /// <remarks>A tensor of a block that has no such name keeps its own behind the block's, so that loading the block can refuse it by name.</remarks>
    public static string? ToGguf(HuggingFaceArchitecture kind, string name)
    {
        if (kind.Part is { } part)
        {
            // "language_model.model.x" in the files that were first, "model.language_model.x" since version 5 of the library.
            if (name.StartsWith(part.Tensors, StringComparison.Ordinal))
                name = name[part.Tensors.Length..];
            else if (name.StartsWith("model." + part.Tensors, StringComparison.Ordinal))
                name = "model." + name[("model.".Length + part.Tensors.Length)..];
            else if (name != "lm_head.weight")
                return "";
        }

        // Computed anew by whoever runs the model.
        if (name.EndsWith("rotary_emb.inv_freq", StringComparison.Ordinal))
            return "";
        if (s_model.TryGetValue(name, out string? known))
            return known;
        if (!name.StartsWith(Blocks, StringComparison.Ordinal))
            return null;
        int dot = name.IndexOf('.', Blocks.Length);
        if (dot < 0 || !IsNumber(name.AsSpan(Blocks.Length, dot - Blocks.Length)))
            return null;
        string inBlock = name[(dot + 1)..];
        string gguf = kind.Tensors.GetValueOrDefault(inBlock) ?? s_block.GetValueOrDefault(inBlock) ?? OfExpert(kind, inBlock) ?? inBlock;
        return $"blk.{name.AsSpan(Blocks.Length, dot - Blocks.Length)}.{gguf}";
    }

    /// <summary>"mlp.experts.3.up_proj.weight" is found as "mlp.experts.*.up_proj.weight".</summary>
    private static string? OfExpert(HuggingFaceArchitecture kind, string name)
    {
        const string Experts = ".experts.";
        int start = name.IndexOf(Experts, StringComparison.Ordinal) + Experts.Length;
        int end = start < Experts.Length ? -1 : name.IndexOf('.', start);
        return end > start && IsNumber(name.AsSpan(start, end - start)) && kind.Tensors.TryGetValue($"{name.AsSpan(0, start)}*{name.AsSpan(end)}", out string? found)
            ? found.Replace("*", name[start..end], StringComparison.Ordinal)
            : null;
    }

    /// <summary>Digits without a leading zero: a number has one way to be written, so that no two tensors have one name.</summary>
    private static bool IsNumber(ReadOnlySpan<char> text) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int number) && (number == 0 ? text.Length == 1 : text[0] != '0');
}
