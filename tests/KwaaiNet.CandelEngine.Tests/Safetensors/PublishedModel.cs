using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json.Nodes;
using KwaaiNet.CandelEngine.Gguf;
using KwaaiNet.CandelEngine.Safetensors;
using KwaaiNet.CandelEngine.Tensors;
using KwaaiNet.CandelEngine.Tests.Gguf;
using KwaaiNet.CandelEngine.Tests.Text.HuggingFace;

namespace KwaaiNet.CandelEngine.Tests.Safetensors;

/// <summary>A model of random weights written twice: as a folder of Hugging Face's files, and as the GGUF that converters make of it.</summary>
internal sealed class PublishedModel
{
    public const int Blocks = 4;
    public const int Width = 64;
    public const int Heads = 4;
    public const int KvHeads = 2;
    public const int HeadSize = 16;
    public const int FeedForward = 96;
    public const int Experts = 4;
    public const int ExpertWidth = 32;
    public const int Context = 256;

    // The byte-level vocabulary of the tests: 256 bytes, 12 merges, 2 control tokens.
    public const int Vocabulary = 270;

    private readonly List<Tensor> _tensors = [];
    private readonly string _architecture;
    private readonly Random _random;

    /// <param name="kind">The value of <c>model_type</c>.</param>
    /// <param name="architecture">GGUF's name.</param>
    /// <param name="seed">Of the weights.</param>
    public PublishedModel(string kind, string architecture, int seed)
    {
        _architecture = architecture;
        _random = new Random(seed);
        Config = new JsonObject
        {
            ["model_type"] = kind,
            ["num_hidden_layers"] = Blocks,
            ["hidden_size"] = Width,
            ["intermediate_size"] = FeedForward,
            ["num_attention_heads"] = Heads,
            ["num_key_value_heads"] = KvHeads,
            ["head_dim"] = HeadSize,
            ["max_position_embeddings"] = Context,
            ["rms_norm_eps"] = 1e-6,
            ["rope_theta"] = 50_000.0,
            ["vocab_size"] = Vocabulary,
            ["tie_word_embeddings"] = false,
        };
        Metadata = writer =>
        {
            Add(writer, "block_count", Blocks);
            Add(writer, "embedding_length", Width);
            Add(writer, "feed_forward_length", FeedForward);
            Add(writer, "attention.head_count", Heads);
            Add(writer, "attention.head_count_kv", KvHeads);
            Add(writer, "attention.key_length", HeadSize);
            Add(writer, "attention.value_length", HeadSize);
            Add(writer, "context_length", Context);
            writer.Add($"{_architecture}.attention.layer_norm_rms_epsilon", 1e-6f);
            writer.Add($"{_architecture}.rope.freq_base", 50_000f);
        };
    }

    /// <summary><c>config.json</c>.</summary>
    public JsonObject Config { get; }

    /// <summary>What the GGUF says besides its vocabulary.</summary>
    public Action<GgufWriter> Metadata { get; private set; }

    /// <summary>How both store their matrices, and the folder its vectors too.</summary>
    public SafetensorsType Type { get; init; } = SafetensorsType.F32;

    /// <summary>Converters put neighbouring pairs for halves: the rows of each query and key head are in another order.</summary>
    public bool Permutes { get; init; }

    /// <summary>Converters add 1 to norms.</summary>
    public bool NormsLessOne { get; init; }

    /// <summary>Says something in the GGUF.</summary>
    public PublishedModel With(string key, object value)
    {
        Metadata += writer =>
        {
            switch (value)
            {
                case int integer: Add(writer, key, integer); break;
                case bool flag: writer.Add($"{_architecture}.{key}", flag); break;
                case string text: writer.Add($"{_architecture}.{key}", text); break;
                default: writer.Add($"{_architecture}.{key}", Convert.ToSingle(value, System.Globalization.CultureInfo.InvariantCulture)); break;
            }
        };
        return this;
    }

    /// <summary>Adds a tensor under both names; one row is a vector.</summary>
    /// <param name="published">Its name in the folder; empty for one that only the GGUF has.</param>
    /// <param name="gguf">Its name in the GGUF; empty for one that only the folder has.</param>
    /// <param name="rows">Rows.</param>
    /// <param name="columns">Columns.</param>
    /// <param name="values">Its numbers; random when null.</param>
    public PublishedModel Add(string published, string gguf, int rows, int columns, float[]? values = null)
    {
        if (values is null)
        {
            values = new float[rows * columns];
            bool norm = published.EndsWith("norm.weight", StringComparison.Ordinal);
            for (int i = 0; i < values.Length; i++)
                values[i] = Round(norm ? (NormsLessOne ? -0.5f : 0.5f) + _random.NextSingle() : (float)((_random.NextDouble() - 0.5) * (rows == 1 ? 1 : 4 / Math.Sqrt(columns))));
        }

        _tensors.Add(new Tensor(published, gguf, rows, columns, values));
        return this;
    }

    /// <summary>Adds embedding, final norm and, unless tied, the output matrix.</summary>
    public PublishedModel AddEnds(bool tied = false)
    {
        Config["tie_word_embeddings"] = tied;
        Add("model.embed_tokens.weight", "token_embd.weight", Vocabulary, Width);
        Add("model.norm.weight", "output_norm.weight", 1, Width);
        return tied ? this : Add("lm_head.weight", "output.weight", Vocabulary, Width);
    }

    /// <summary>Adds the attention of every block and its norm.</summary>
    public PublishedModel AddAttention(bool bias = false, bool norms = false)
    {
        for (int b = 0; b < Blocks; b++)
        {
            (string hf, string gguf) = ($"model.layers.{b}.", $"blk.{b}.");
            Add(hf + "input_layernorm.weight", gguf + "attn_norm.weight", 1, Width);
            foreach ((char letter, int rows) in (ReadOnlySpan<(char, int)>)[('q', Heads * HeadSize), ('k', KvHeads * HeadSize), ('v', KvHeads * HeadSize)])
            {
                Add($"{hf}self_attn.{letter}_proj.weight", $"{gguf}attn_{letter}.weight", rows, Width);
                if (bias)
                    Add($"{hf}self_attn.{letter}_proj.bias", $"{gguf}attn_{letter}.bias", 1, rows);
                if (norms && letter != 'v')
                    Add($"{hf}self_attn.{letter}_norm.weight", $"{gguf}attn_{letter}_norm.weight", 1, HeadSize);
            }

            Add(hf + "self_attn.o_proj.weight", gguf + "attn_output.weight", Width, Heads * HeadSize);
        }

        return this;
    }

    /// <summary>Adds every block's feed-forward layer.</summary>
    public PublishedModel AddFeedForward(string norm = "post_attention_layernorm")
    {
        for (int b = 0; b < Blocks; b++)
        {
            (string hf, string gguf) = ($"model.layers.{b}.", $"blk.{b}.");
            Add($"{hf}{norm}.weight", gguf + "ffn_norm.weight", 1, Width);
            Add(hf + "mlp.gate_proj.weight", gguf + "ffn_gate.weight", FeedForward, Width);
            Add(hf + "mlp.up_proj.weight", gguf + "ffn_up.weight", FeedForward, Width);
            Add(hf + "mlp.down_proj.weight", gguf + "ffn_down.weight", Width, FeedForward);
        }

        return this;
    }

    /// <summary>Adds every block's experts: apart in the folder, stacked in the GGUF.</summary>
    public PublishedModel AddExperts(string layer, string gate, string up, string down)
    {
        for (int b = 0; b < Blocks; b++)
        {
            (string hf, string gguf) = ($"model.layers.{b}.", $"blk.{b}.");
            Add(hf + "post_attention_layernorm.weight", gguf + "ffn_norm.weight", 1, Width);
            Add($"{hf}{layer}.gate.weight", gguf + "ffn_gate_inp.weight", Experts, Width);
            foreach ((string name, string stacked, int rows, int columns) in (ReadOnlySpan<(string, string, int, int)>)[(gate, "gate", ExpertWidth, Width), (up, "up", ExpertWidth, Width), (down, "down", Width, ExpertWidth)])
            {
                List<float> all = [];
                for (int e = 0; e < Experts; e++)
                {
                    Add($"{hf}{layer}.experts.{e}.{name}.weight", "", rows, columns);
                    all.AddRange(_tensors[^1].Values);
                }

                _tensors.Add(new Tensor("", $"{gguf}ffn_{stacked}_exps.weight", Experts * rows, columns, [.. all]) { Slices = Experts });
            }
        }

        return this;
    }

    /// <summary>Writes the GGUF.</summary>
    public byte[] Gguf()
    {
        using MemoryStream stream = new();
        using GgufWriter writer = new(stream, leaveOpen: true);
        writer.Add("general.architecture", _architecture);
        Metadata(writer);
        SmallVocabulary.AddByteLevel(writer, "qwen2");
        Tensor[] tensors = [.. _tensors.Where(tensor => tensor.Gguf.Length > 0)];
        GgmlType matrices = Enum.Parse<GgmlType>(Type.ToString());
        foreach (Tensor tensor in tensors)
        {
            long[] shape = tensor.Rows == 1 ? [tensor.Columns] : tensor.Slices == 1 ? [tensor.Columns, tensor.Rows] : [tensor.Columns, tensor.Rows / tensor.Slices, tensor.Slices];
            writer.AddTensor(tensor.Gguf, shape, tensor.Rows == 1 ? GgmlType.F32 : matrices);
        }

        foreach (Tensor tensor in tensors)
        {
            float[] values = tensor.Values;
            if (Permutes && (tensor.Gguf.Contains("attn_q.", StringComparison.Ordinal) || tensor.Gguf.Contains("attn_k.", StringComparison.Ordinal)))
                values = Permute(tensor);
            if (NormsLessOne && tensor.Gguf.EndsWith("norm.weight", StringComparison.Ordinal))
                values = Array.ConvertAll(values, value => value + 1);
            writer.WriteTensor(tensor.Gguf, tensor.Rows == 1 ? MemoryMarshal.AsBytes<float>(values) : Encode(values));
        }

        writer.Finish();
        return stream.ToArray();
    }

    /// <summary>Writes the folder.</summary>
    /// <param name="folder">Where.</param>
    /// <param name="name">The model's folder in it.</param>
    /// <param name="files">Files the tensors are spread over, with an index if they are several.</param>
    /// <returns>The model's folder.</returns>
    public string Folder(TempFolder folder, string name, int files = 1)
    {
        Tensor[] tensors = [.. _tensors.Where(tensor => tensor.Published.Length > 0)];
        JsonObject map = [];
        for (int f = 0; f < files; f++)
        {
            string file = files == 1 ? "model.safetensors" : $"model-{f + 1:D5}-of-{files:D5}.safetensors";
            using MemoryStream stream = new();
            using SafetensorsWriter writer = new(stream, leaveOpen: true);
            Tensor[] part = [.. tensors.Where((_, i) => i % files == f)];
            foreach (Tensor tensor in part)
            {
                writer.AddTensor(tensor.Published, Type, tensor.Rows == 1 ? [tensor.Columns] : [tensor.Rows, tensor.Columns]);
                map[tensor.Published] = file;
            }

            foreach (Tensor tensor in part)
                writer.WriteTensor(tensor.Published, Encode(tensor.Values));
            writer.Finish();
            folder.Write(Path.Combine(name, file), stream.ToArray());
        }

        if (files > 1)
            Write("model.safetensors.index.json", new JsonObject { ["metadata"] = new JsonObject(), ["weight_map"] = map }.ToJsonString());
        Write("config.json", Config.ToJsonString());
        using GgufFile gguf = GgufFile.Open(folder.Write("vocabulary.gguf", SmallVocabulary.File(writer => SmallVocabulary.AddByteLevel(writer, "qwen2"))));
        Write("tokenizer.json", TokenizerJsonText.From(gguf.Metadata));
        return Path.Combine(folder.Path, name);

        void Write(string file, string text) => folder.Write(Path.Combine(name, file), Encoding.UTF8.GetBytes(text));
    }

    private void Add(GgufWriter writer, string key, int value) => writer.Add($"{_architecture}.{key}", (uint)value);

    /// <summary>Row 2i + j of a head is row j · HeadSize/2 + i of the published one.</summary>
    private static float[] Permute(Tensor tensor)
    {
        int columns = tensor.Rows == 1 ? 1 : tensor.Columns;
        float[] result = new float[tensor.Values.Length];
        for (int row = 0; row < result.Length / columns; row++)
        {
            int inHead = row % HeadSize;
            int from = row - inHead + (inHead % 2 * (HeadSize / 2)) + (inHead / 2);
            tensor.Values.AsSpan(from * columns, columns).CopyTo(result.AsSpan(row * columns));
        }

        return result;
    }

    /// <summary>The value that the type stores.</summary>
    private float Round(float value) => Type switch
    {
        SafetensorsType.F16 => (float)(Half)value,
        SafetensorsType.BF16 => BitConverter.Int32BitsToSingle(BitConverter.SingleToInt32Bits(value) & ~0xFFFF),
        _ => value,
    };

    private byte[] Encode(float[] values) => Type switch
    {
        SafetensorsType.F16 => MemoryMarshal.AsBytes<Half>(Array.ConvertAll(values, value => (Half)value)).ToArray(),
        SafetensorsType.BF16 => MemoryMarshal.AsBytes<ushort>(Array.ConvertAll(values, value => (ushort)(BitConverter.SingleToInt32Bits(value) >> 16))).ToArray(),
        _ => MemoryMarshal.AsBytes<float>(values).ToArray(),
    };

    private sealed record Tensor(string Published, string Gguf, int Rows, int Columns, float[] Values)
    {
        public int Slices { get; init; } = 1;
    }
}
