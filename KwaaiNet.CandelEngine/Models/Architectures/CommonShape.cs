using KwaaiNet.CandelEngine.Gguf;

namespace KwaaiNet.CandelEngine.Models.Architectures;

/// <summary>What the metadata of all architectures says alike: sizes, epsilon, RoPE and its scaling, experts.</summary>
/// <remarks>Keys as in the GGUF specification, section "LLM", each with the architecture's name as prefix.</remarks>
internal static class CommonShape
{
    private const float DefaultRopeBase = 10_000;

    public static ModelShape Read(GgufMetadata metadata, ShapeReader read, Architecture architecture, int? embeddingRows)
    {
        int width = read.Integer("embedding_length", 1, 1 << 20);
        int heads = read.Integer("attention.head_count", 1, 1 << 14);
        int kvHeads = read.Integer("attention.head_count_kv", 1, heads, otherwise: heads);
        read.Require(heads % kvHeads == 0, $"{kvHeads} key/value heads do not divide {heads} query heads");

        read.Require(read.Has("attention.key_length") || width % heads == 0, $"{heads} heads do not divide the width {width}");
        int headSize = read.Integer("attention.key_length", 1, 1 << 14, otherwise: Math.Max(1, width / heads));
        int valueSize = read.Integer("attention.value_length", 1, 1 << 14, otherwise: headSize);
        read.Require((long)heads * headSize <= 1 << 24, $"{heads} heads of {headSize} numbers are more than any model has");
        read.RefuseFeature(valueSize != headSize, "values of another size than keys");

        int ropeSize = read.Integer("rope.dimension_count", 2, headSize, otherwise: headSize);
        read.Require(ropeSize % 2 == 0, $"RoPE turns pairs, and {ropeSize} numbers of a head are odd");

        int context = read.Integer("context_length", 1, 1 << 28);
        float ropeBase = read.Number("rope.freq_base", 1, 1e12f, DefaultRopeBase);
        RopeScaling? scaling = RopeScalingReader.Read(read, context, architecture);
        read.Require(ropeBase > 1 || scaling is null or { YarnShare: 0 }, $"YaRN tells frequencies apart, and with a base of {ropeBase} all are one");

        int feedForward = read.Integer("feed_forward_length", 1, 1 << 22);
        return new ModelShape
        {
            Architecture = architecture.Name,
            BlockCount = read.Integer("block_count", 1, 1 << 12),
            Width = width,
            HeadCount = heads,
            KvHeadCount = kvHeads,
            HeadSize = headSize,
            FeedForwardWidth = feedForward,
            VocabularySize = ReadVocabularySize(metadata, read, embeddingRows),
            ContextLength = context,
            RmsEpsilon = read.Number("attention.layer_norm_rms_epsilon", 0, 1),
            RopeBase = ropeBase,
            RopeSize = ropeSize,
            RopeScaling = scaling,
            Experts = ReadExperts(read, architecture, feedForward),
        };
    }

    private static int ReadVocabularySize(GgufMetadata metadata, ShapeReader read, int? rows)
    {
        int? tokens = metadata.GetArray("tokenizer.ggml.tokens")?.Count;
        read.Require(tokens is null || rows is null || tokens == rows, $"the tokenizer lists {tokens} tokens and the embedding has {rows} rows");
        int size = rows ?? tokens ?? read.Integer("vocab_size", 1, 1 << 24);
        read.Require(size is >= 1 and <= 1 << 24, $"a vocabulary of {size} tokens cannot be");
        return size;
    }

    private static ExpertShape? ReadExperts(ShapeReader read, Architecture architecture, int feedForward)
    {
        int count = read.Integer("expert_count", 0, 1 << 12, otherwise: 0);
        read.Require(count > 0 || (architecture.Required & BlockParts.Experts) == 0, "its blocks are mixtures of experts, and it counts none");
        if (count == 0)
            return null;
        read.RefuseFeature(!architecture.Allows(BlockParts.Experts), "a mixture of experts");
        read.RefuseFeature(read.Integer("expert_shared_count", 0, int.MaxValue, otherwise: 0) > 0, "experts shared by all positions");
        read.RefuseFeature(read.Integer("expert_shared_feed_forward_length", 0, int.MaxValue, otherwise: 0) > 0, "experts shared by all positions");
        read.RefuseFeature(read.Integer("expert_group_count", 0, int.MaxValue, otherwise: 0) > 1, "groups of experts");
        return new ExpertShape
        {
            Count = count,
            Used = read.Integer("expert_used_count", 1, count),
            FeedForwardWidth = read.Integer("expert_feed_forward_length", 1, 1 << 22, otherwise: feedForward),
            NormalizeWeights = read.Flag("expert_weights_norm", otherwise: true),
        };
    }
}
