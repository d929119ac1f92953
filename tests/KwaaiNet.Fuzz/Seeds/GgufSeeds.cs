using System.Buffers.Binary;
using System.Globalization;
using System.Text;
using KwaaiNet.CandelEngine.Gguf;
using KwaaiNet.CandelEngine.Tensors;
using KwaaiNet.Fuzz.Mutation;

namespace KwaaiNet.Fuzz.Seeds;

/// <summary>Small GGUF files: versions 2 and 3, every type of value, every type of tensor.</summary>
internal static class GgufSeeds
{
    private const string Template = "{{ bos_token }}{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content | trim }}<|im_end|>\n{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}";

    public static IReadOnlyList<FuzzSeed> All()
    {
        byte[] full = Build(32, AddEveryValue, Enum.GetValues<GgmlType>());
        byte[] second = [.. full];
        BinaryPrimitives.WriteUInt32LittleEndian(second.AsSpan(4), 2);
        return
        [
            Seed("every value and tensor type, version 3", full),
            Seed("version 2", second),
            Seed("alignment 8", Build(8, _ => { }, [GgmlType.F32])),
            Seed("alignment 4096", Build(4096, _ => { }, [GgmlType.F16, GgmlType.Q8_0])),
            Seed("a part of a split model", Build(32, AddSplit, [GgmlType.F32])),
            Seed("nothing but the header", Build(32, null, [])),
            Seed("thousands of values of one byte", Build(32, AddManyValues, [])),
            Seed("a thousand empty arrays in an array", BuildNestedArrays()),
            Seed("thousands of tensors of one number", BuildManyTensors()),
        ];
    }

    /// <summary>Keys with their length before them, and heads of values.</summary>
    public static IReadOnlyList<byte[]> Words()
    {
        string[] keys =
        [
            "general.architecture", "general.alignment", "llama.block_count", "llama.expert_count", "llama.attention.head_count", "tokenizer.ggml.tokens",
            "tokenizer.ggml.model", "tokenizer.ggml.pre", "tokenizer.ggml.merges", "tokenizer.ggml.token_type", "tokenizer.chat_template", "split.count", "split.no",
            "split.tensors.count", "token_embd.weight", "blk.0.attn_q.weight", "llama", "gpt2", "t5", "qwen2", "gemma2", "<s>", "<0x0A>", "a", "",
        ];
        List<byte[]> words = [.. keys.Select(SizedString)];
        foreach (GgufValueType type in Enum.GetValues<GgufValueType>())
        {
            words.Add(BitConverter.GetBytes((uint)type));
            words.Add([.. BitConverter.GetBytes((uint)GgufValueType.Array), .. BitConverter.GetBytes((uint)type), 1, 0, 0, 0, 0, 0, 0, 0]);
            // An empty array costs 12 bytes in an array of arrays: the cheapest way to make a reader count.
            words.Add([.. BitConverter.GetBytes((uint)GgufValueType.Array), .. BitConverter.GetBytes((uint)type), 0, 0, 0, 0, 0, 0, 0, 0]);
        }

        words.Add("GGUF"u8.ToArray());
        words.Add([0xC0, 0x80]);
        words.Add([0xED, 0xA0, 0x80]);
        return words;
    }

    /// <summary>A file of metadata only.</summary>
    public static FuzzSeed OfMetadata(string name, Action<GgufWriter> add) => Seed(name, Build(32, add, []));

    private static FuzzSeed Seed(string name, byte[] bytes) => new(name, bytes, GgufFields.Find(bytes));

    private static byte[] SizedString(string text)
    {
        byte[] bytes = Encoding.UTF8.GetBytes(text);
        return [.. BitConverter.GetBytes((ulong)bytes.Length), .. bytes];
    }

    private static byte[] Build(int alignment, Action<GgufWriter>? add, GgmlType[] types)
    {
        using MemoryStream stream = new();
        using GgufWriter writer = new(stream, alignment, leaveOpen: true);
        if (add is not null)
        {
            writer.Add("general.architecture", "llama");
            add(writer);
        }

        List<(string Name, long[] Shape, GgmlType Type)> tensors = [];
        if (types.Length > 0)
        {
            AddShape(writer);
            tensors.Add(("token_embd.weight", [32, 4], GgmlType.F16));
            tensors.Add(("output_norm.weight", [32], GgmlType.F32));
            foreach (GgmlType type in types)
                tensors.Add(($"blk.0.{type}.weight", [type.BlockLength(), 2, .. (long[])(type == GgmlType.F16 ? [2, 3] : [])], type));
        }

        foreach ((string name, long[] shape, GgmlType type) in tensors)
            writer.AddTensor(name, shape, type);
        foreach ((string name, long[] shape, GgmlType type) in tensors)
            writer.WriteTensor(name, new byte[shape.Aggregate(1L, (a, b) => a * b) / type.BlockLength() * type.BlockBytes()]);
        writer.Finish();
        return stream.ToArray();
    }

    private static void AddShape(GgufWriter writer)
    {
        writer.Add("llama.block_count", 1u);
        writer.Add("llama.context_length", 64u);
        writer.Add("llama.embedding_length", 32u);
        writer.Add("llama.feed_forward_length", 64u);
        writer.Add("llama.attention.head_count", 4u);
        writer.Add("llama.attention.head_count_kv", 2u);
        writer.Add("llama.attention.layer_norm_rms_epsilon", 1e-5f);
        writer.Add("llama.rope.freq_base", 10_000.0);
        writer.Add("llama.rope.dimension_count", 8u);
    }

    private static void AddEveryValue(GgufWriter writer)
    {
        writer.Add("general.name", "Small \u00e4\u4f60\ud83d\ude00");
        writer.Add("u8", byte.MaxValue);
        writer.Add("i8", sbyte.MinValue);
        writer.Add("u16", ushort.MaxValue);
        writer.Add("i16", short.MinValue);
        writer.Add("i32", int.MinValue);
        writer.Add("u64", ulong.MaxValue);
        writer.Add("i64", long.MinValue);
        writer.Add("f64", double.Epsilon);
        writer.Add("bool", true);
        writer.AddArray("bools", [true, false]);
        writer.AddArray<byte>("u8s", [1, 2]);
        writer.AddArray<sbyte>("i8s", [1, 2]);
        writer.AddArray<ushort>("u16s", [1, 2]);
        writer.AddArray<short>("i16s", [1, 2]);
        writer.AddArray<uint>("u32s", [1, 2]);
        writer.AddArray<ulong>("u64s", [1, 2]);
        writer.AddArray<long>("i64s", [1, 2]);
        writer.AddArray<double>("f64s", [1, 2]);
        writer.Add("llama.vocab_size", 4u);
        writer.Add("tokenizer.ggml.model", "llama");
        writer.AddArray("tokenizer.ggml.tokens", ["<unk>", "<s>", "</s>", "\u2581a"]);
        writer.AddArray<int>("tokenizer.ggml.token_type", [2, 3, 3, 1]);
        writer.AddArray<float>("tokenizer.ggml.scores", [0, 0, 0, -1]);
        writer.Add("tokenizer.ggml.bos_token_id", 1u);
        writer.Add("tokenizer.ggml.eos_token_id", 2u);
        writer.Add("tokenizer.chat_template", Template);
    }

    private static void AddManyValues(GgufWriter writer)
    {
        for (int i = 0; i < 4000; i++)
            writer.Add(i.ToString("x", CultureInfo.InvariantCulture), (byte)i);
    }

    private static byte[] BuildNestedArrays()
    {
        // The writer has no arrays of arrays. An array of zeros becomes one of empty arrays of bytes, whose heads are three words of zeros.
        const int Count = 1000;
        byte[] file = Build(32, writer => writer.AddArray<uint>("arrays", new uint[Count * 3]), []);
        int head = file.AsSpan().IndexOf("arrays"u8) + "arrays".Length + sizeof(uint);
        BinaryPrimitives.WriteUInt32LittleEndian(file.AsSpan(head), (uint)GgufValueType.Array);
        BinaryPrimitives.WriteUInt64LittleEndian(file.AsSpan(head + sizeof(uint)), Count);
        return file;
    }

    private static byte[] BuildManyTensors()
    {
        using MemoryStream stream = new();
        using GgufWriter writer = new(stream, 8, leaveOpen: true);
        for (int i = 0; i < 1000; i++)
            writer.AddTensor(i.ToString("x", CultureInfo.InvariantCulture), [1], GgmlType.F32);
        for (int i = 0; i < 1000; i++)
            writer.WriteTensor(i.ToString("x", CultureInfo.InvariantCulture), new byte[4]);
        writer.Finish();
        return stream.ToArray();
    }

    private static void AddSplit(GgufWriter writer)
    {
        writer.Add("split.no", (ushort)0);
        writer.Add("split.count", (ushort)2);
        writer.Add("split.tensors.count", 6);
    }
}
