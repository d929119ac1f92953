using KwaaiNet.CandelEngine.Gguf;
using KwaaiNet.CandelEngine.Tensors;

namespace KwaaiNet.CandelEngine.Tests.Gguf;

/// <summary>A complete model file of some kilobytes: every metadata type, all four tensor types, a SentencePiece vocabulary, a chat template.</summary>
internal static class SmallModel
{
    public const string Template = "{{ bos_token }}{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content | trim }}<|im_end|>\n{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}";

    /// <summary>Tensors by name: shape in ggml's order.</summary>
    public static readonly (string Name, long[] Shape, GgmlType Type)[] Tensors =
    [
        ("token_embd.weight", [32, SmallVocabulary.Count], GgmlType.F16),
        ("output_norm.weight", [32], GgmlType.F32),
        ("blk.0.attn_q.weight", [32, 32], GgmlType.Q8_0),
        ("blk.0.attn_k.weight", [32, 16], GgmlType.Q4_0),
    ];

    /// <summary>Writes the file.</summary>
    /// <param name="change">Adds further metadata.</param>
    /// <param name="replace">Values that take the place of the model's own integers, by key.</param>
    /// <param name="tensors">Tensors in place of the model's own.</param>
    /// <param name="template">The chat template.</param>
    public static byte[] Build(Action<GgufWriter>? change = null, IReadOnlyDictionary<string, uint>? replace = null, (string Name, long[] Shape, GgmlType Type)[]? tensors = null, string template = Template)
    {
        tensors ??= Tensors;
        using MemoryStream stream = new();
        using GgufWriter writer = new(stream, leaveOpen: true);
        writer.Add("general.architecture", "llama");
        writer.Add("general.name", "Small");
        AddInteger(writer, "llama.block_count", 1);
        AddInteger(writer, "llama.context_length", 64);
        AddInteger(writer, "llama.embedding_length", 32);
        AddInteger(writer, "llama.feed_forward_length", 64);
        AddInteger(writer, "llama.attention.head_count", 4);
        AddInteger(writer, "llama.attention.head_count_kv", 2);
        AddInteger(writer, "llama.rope.dimension_count", 8);
        writer.Add("llama.attention.layer_norm_rms_epsilon", 1e-5f);
        writer.Add("llama.rope.freq_base", 10_000.0);
        writer.Add("test.u8", (byte)8);
        writer.Add("test.i8", (sbyte)-8);
        writer.Add("test.u16", (ushort)16);
        writer.Add("test.i16", (short)-16);
        writer.Add("test.i32", -32);
        writer.Add("test.u64", ulong.MaxValue);
        writer.Add("test.i64", long.MinValue);
        writer.Add("test.flag", true);
        writer.AddArray("test.flags", [true, false]);
        writer.AddArray("test.longs", [1L, 2L, 3L]);
        SmallVocabulary.AddSentencePiece(writer);
        writer.Add("tokenizer.chat_template", template);
        change?.Invoke(writer);
        foreach ((string name, long[] shape, GgmlType type) in tensors)
            writer.AddTensor(name, shape, type);
        foreach ((string name, long[] shape, GgmlType type) in tensors)
            writer.WriteTensor(name, new byte[BytesOf(shape, type)]);
        writer.Finish();
        return stream.ToArray();

        void AddInteger(GgufWriter to, string key, uint value) => to.Add(key, replace is not null && replace.TryGetValue(key, out uint other) ? other : value);
    }

    public static int BytesOf(long[] shape, GgmlType type) => (int)(shape.Aggregate(1L, (a, b) => a * b) / type.BlockLength() * type.BlockBytes());
}
