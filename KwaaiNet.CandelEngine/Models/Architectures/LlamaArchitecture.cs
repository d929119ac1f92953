using KwaaiNet.CandelEngine.Gguf;

namespace KwaaiNet.CandelEngine.Models.Architectures;

/// <summary>Llama and the models built like it: RMSNorm, RoPE on neighbouring pairs, grouped-query attention, SiLU-gated feed-forward.</summary>
/// <remarks>Keys as in the GGUF specification, section "LLM", each with the prefix <c>llama.</c></remarks>
internal static class LlamaArchitecture
{
    public const string Name = "llama";

    private const float DefaultRopeBase = 10_000;

    public static ModelShape ReadShape(GgufFile file)
    {
        GgufMetadata metadata = file.Metadata;
        ShapeReader read = new(metadata, Name);

        int width = read.Integer("embedding_length", 1, 1 << 20);
        int heads = read.Integer("attention.head_count", 1, 1 << 14);
        int kvHeads = read.Integer("attention.head_count_kv", 1, heads, otherwise: heads);
        read.Require(heads % kvHeads == 0, $"{kvHeads} key/value heads do not divide {heads} query heads");

        bool headSizeGiven = metadata.Contains($"{Name}.attention.key_length");
        read.Require(headSizeGiven || width % heads == 0, $"{heads} heads do not divide the width {width}");
        int headSize = read.Integer("attention.key_length", 1, 1 << 14, otherwise: Math.Max(1, width / heads));
        int valueSize = read.Integer("attention.value_length", 1, 1 << 14, otherwise: headSize);
        read.Require((long)heads * headSize <= 1 << 24, $"{heads} heads of {headSize} numbers are more than any model has");
        read.RefuseFeature(valueSize != headSize, "values of another size than keys");

        int ropeSize = read.Integer("rope.dimension_count", 2, headSize, otherwise: headSize);
        read.Require(ropeSize % 2 == 0, $"RoPE turns pairs, and {ropeSize} numbers of a head are odd");

        RefuseWhatIsNotRun(file, read);
        return new ModelShape
        {
            Architecture = Name,
            BlockCount = read.Integer("block_count", 1, 1 << 12),
            Width = width,
            HeadCount = heads,
            KvHeadCount = kvHeads,
            HeadSize = headSize,
            FeedForwardWidth = read.Integer("feed_forward_length", 1, 1 << 22),
            VocabularySize = ReadVocabularySize(file, read),
            ContextLength = read.Integer("context_length", 1, 1 << 28),
            RmsEpsilon = read.Number("attention.layer_norm_rms_epsilon", 0, 1),
            RopeBase = read.Number("rope.freq_base", 1, 1e12f, DefaultRopeBase),
            RopeSize = ropeSize,
        };
    }

    private static int ReadVocabularySize(GgufFile file, ShapeReader read)
    {
        int? tokens = file.Metadata.GetArray("tokenizer.ggml.tokens")?.Count;
        int? rows = file.TryGetTensor("token_embd.weight", out TensorData embedding) ? embedding.Rows : null;
        read.Require(tokens is null || rows is null || tokens == rows, $"the tokenizer lists {tokens} tokens and the embedding has {rows} rows");
        int size = rows ?? tokens ?? read.Integer("vocab_size", 1, 1 << 24);
        read.Require(size is >= 1 and <= 1 << 24, $"a vocabulary of {size} tokens cannot be");
        return size;
    }

    private static void RefuseWhatIsNotRun(GgufFile file, ShapeReader read)
    {
        GgufMetadata metadata = file.Metadata;
        string scaling = metadata.GetString($"{Name}.rope.scaling.type") ?? "none";
        read.RefuseFeature(scaling is not ("none" or ""), $"RoPE scaling ('{scaling}')");
        read.RefuseFeature((metadata.GetSingle($"{Name}.rope.scale_linear") ?? 1) is not (0 or 1), "linear RoPE scaling");
        read.RefuseFeature((metadata.GetInt32($"{Name}.expert_count") ?? 0) > 0, "a mixture of experts");
    }
}
