using System.Runtime.InteropServices;
using KwaaiNet.CandelEngine.Gguf;
using KwaaiNet.CandelEngine.Tensors;

namespace KwaaiNet.Network.Tests.Harness;

/// <summary>A small chat model of random weights: it talks nonsense in syllables, always the same nonsense, and never stops by itself.</summary>
internal static class SyntheticChatModel
{
    public const int Blocks = 6;
    public const int Context = 16_384;

    private const int Width = 64;
    private const int Heads = 4;
    private const int KvHeads = 2;
    private const int HeadSize = 16;
    private const int FeedForward = 128;
    private const int Bytes = 256;
    private const string Template =
        "{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}";

    private static readonly string[] s_control = ["<unk>", "<s>", "</s>", "<|im_start|>", "<|im_end|>"];
    private static readonly string[] s_syllables = [.. "bdfgklmnprstvz".SelectMany(consonant => "aeiou".Select(vowel => $"\u2581{consonant}{vowel}"))];

    private static int Vocabulary => s_control.Length + Bytes + s_syllables.Length;

    /// <summary>Writes the model; the same file at every call.</summary>
    public static void Write(string path)
    {
        using FileStream stream = File.Create(path);
        using GgufWriter writer = new(stream);
        writer.Add("general.architecture", "llama");
        writer.Add("general.name", "synthetic");
        writer.Add("llama.block_count", (uint)Blocks);
        writer.Add("llama.context_length", (uint)Context);
        writer.Add("llama.embedding_length", (uint)Width);
        writer.Add("llama.feed_forward_length", (uint)FeedForward);
        writer.Add("llama.attention.head_count", (uint)Heads);
        writer.Add("llama.attention.head_count_kv", (uint)KvHeads);
        writer.Add("llama.rope.dimension_count", (uint)HeadSize);
        writer.Add("llama.attention.layer_norm_rms_epsilon", 1e-5f);
        writer.Add("llama.rope.freq_base", 10_000f);
        string[] tokens = [.. s_control, .. Enumerable.Range(0, Bytes).Select(value => $"<0x{value:X2}>"), .. s_syllables];
        writer.Add("tokenizer.ggml.model", "llama");
        writer.AddArray("tokenizer.ggml.tokens", tokens);
        writer.AddArray<int>("tokenizer.ggml.token_type", [2, 3, 3, 3, 3, .. Enumerable.Repeat(6, Bytes), .. Enumerable.Repeat(1, s_syllables.Length)]);
        writer.AddArray<float>("tokenizer.ggml.scores", [.. tokens.Select((_, id) => (float)-id)]);
        writer.Add("tokenizer.ggml.bos_token_id", 1u);
        writer.Add("tokenizer.ggml.eos_token_id", 2u);
        writer.Add("tokenizer.ggml.unknown_token_id", 0u);
        writer.Add("tokenizer.chat_template", Template);

        (string Name, long[] Shape)[] tensors = [.. Tensors()];
        foreach ((string name, long[] shape) in tensors)
        {
            writer.AddTensor(name, shape, GgmlType.F32);
        }

        Random random = new(2026);
        foreach ((string name, long[] shape) in tensors)
        {
            writer.WriteTensor(name, MemoryMarshal.AsBytes<float>(Values(name, shape, random)));
        }

        writer.Finish();
    }

    private static IEnumerable<(string Name, long[] Shape)> Tensors()
    {
        yield return ("token_embd.weight", [Width, Vocabulary]);
        yield return ("output_norm.weight", [Width]);
        for (int block = 0; block < Blocks; block++)
        {
            yield return ($"blk.{block}.attn_norm.weight", [Width]);
            yield return ($"blk.{block}.attn_q.weight", [Width, Heads * HeadSize]);
            yield return ($"blk.{block}.attn_k.weight", [Width, KvHeads * HeadSize]);
            yield return ($"blk.{block}.attn_v.weight", [Width, KvHeads * HeadSize]);
            yield return ($"blk.{block}.attn_output.weight", [Heads * HeadSize, Width]);
            yield return ($"blk.{block}.ffn_norm.weight", [Width]);
            yield return ($"blk.{block}.ffn_gate.weight", [Width, FeedForward]);
            yield return ($"blk.{block}.ffn_up.weight", [Width, FeedForward]);
            yield return ($"blk.{block}.ffn_down.weight", [FeedForward, Width]);
        }
    }

    private static float[] Values(string name, long[] shape, Random random)
    {
        float[] values = new float[shape.Aggregate(1L, (product, length) => product * length)];
        bool isNorm = shape.Length == 1;
        for (int index = 0; index < values.Length; index++)
        {
            // Control tokens and bytes lie near zero, and their logits with them (the output is tied to the embedding):
            // only syllables are ever said, so the text is always valid and never ends by itself.
            bool isQuiet = name == "token_embd.weight" && index / Width < s_control.Length + Bytes;
            float value = ((random.NextSingle() * 2) - 1) * 0.3f;
            values[index] = isNorm ? 1 : isQuiet ? value * 0.01f : value;
        }

        return values;
    }
}
