using KwaaiNet.CandelEngine.Gguf;

namespace KwaaiNet.ModelLab.Synthesis;

/// <summary>Every architecture the engine reads, as a recipe. Keys and tensors are those of llama.cpp's converters (<c>conversion/*.py</c>).</summary>
internal static class Recipes
{
    /// <summary>The recipes, in the order of the table in <c>docs/accuracy.md</c>.</summary>
    public static IReadOnlyList<Recipe> All { get; } =
    [
        new()
        {
            Name = "llama", Architecture = "llama", Exercises = "grouped queries, RoPE over neighbouring pairs", OutputMatrix = true,
            Metadata = (file, prefix) => file.Add($"{prefix}rope.freq_base", 10_000f),
        },
        new()
        {
            Name = "llama-freqs", Architecture = "llama", Exercises = "`rope_freqs` (Llama 3.1)", RopeTensors = [("rope_freqs.weight", Ramp(1, 8))],
            Metadata = (file, prefix) => file.Add($"{prefix}rope.freq_base", 500_000f),
        },
        new()
        {
            Name = "llama-linear", Architecture = "llama", Exercises = "linear RoPE scaling by 4",
            Metadata = (file, prefix) =>
            {
                file.Add($"{prefix}rope.scaling.type", "linear");
                file.Add($"{prefix}rope.scaling.factor", 4f);
            },
        },
        new()
        {
            Name = "llama-yarn", Architecture = "llama", Exercises = "YaRN by 4 from a context of 32",
            Metadata = (file, prefix) =>
            {
                file.Add($"{prefix}rope.scaling.type", "yarn");
                file.Add($"{prefix}rope.scaling.factor", 4f);
                file.Add($"{prefix}rope.scaling.original_context_length", 32u);
            },
        },
        new()
        {
            Name = "mistral", Architecture = "llama", Exercises = "a sliding window of 32", OutputMatrix = true,
            PeerPositions = 32, PeerLimit = "llama.cpp ignores a `llama` model's window: compared up to it",
            Metadata = (file, prefix) => file.Add($"{prefix}attention.sliding_window", 32u),
        },
        new()
        {
            Name = "mixtral", Architecture = "llama", Exercises = "8 experts, 2 a token", OutputMatrix = true, FeedForward = 256, Experts = 8, ExpertsUsed = 2,
            Metadata = (file, prefix) => file.Add($"{prefix}rope.freq_base", 1_000_000f),
        },
        new()
        {
            Name = "mistral3", Architecture = "mistral3", Exercises = "YaRN by 16 with a magnitude of its own", OutputMatrix = true,
            Metadata = (file, prefix) =>
            {
                file.Add($"{prefix}rope.dimension_count", 64u);
                file.Add($"{prefix}rope.freq_base", 1_000_000f);
                file.Add($"{prefix}rope.scaling.type", "yarn");
                file.Add($"{prefix}rope.scaling.factor", 16f);
                file.Add($"{prefix}rope.scaling.original_context_length", 32u);
                file.Add($"{prefix}rope.scaling.yarn_beta_fast", 16f);
                file.Add($"{prefix}rope.scaling.yarn_beta_slow", 2f);
                file.Add($"{prefix}rope.scaling.yarn_log_multiplier", 0.5f);
            },
        },
        new()
        {
            Name = "qwen2", Architecture = "qwen2", Exercises = "biases, RoPE over halves", ProjectionBias = true, OutputMatrix = true,
            Metadata = (file, prefix) => file.Add($"{prefix}rope.freq_base", 1_000_000f),
        },
        new()
        {
            Name = "qwen2-yarn", Architecture = "qwen2", Exercises = "YaRN by 4 from a context of 32, RoPE over halves", ProjectionBias = true,
            Metadata = (file, prefix) =>
            {
                file.Add($"{prefix}rope.freq_base", 1_000_000f);
                file.Add($"{prefix}rope.scaling.type", "yarn");
                file.Add($"{prefix}rope.scaling.factor", 4f);
                file.Add($"{prefix}rope.scaling.original_context_length", 32u);
            },
        },
        new()
        {
            Name = "qwen3", Architecture = "qwen3", Exercises = "norms on queries and keys, heads wider than the width over their number", HeadSize = 128, HeadNorms = true,
            Metadata = (file, prefix) => file.Add($"{prefix}rope.freq_base", 1_000_000f),
        },
        new()
        {
            Name = "qwen3moe", Architecture = "qwen3moe", Exercises = "8 experts, 3 a token", HeadSize = 128, HeadNorms = true, OutputMatrix = true,
            FeedForward = 256, Experts = 8, ExpertsUsed = 3,
            Metadata = (file, prefix) =>
            {
                file.Add($"{prefix}rope.freq_base", 1_000_000f);
                file.Add($"{prefix}expert_feed_forward_length", 256u);
            },
        },
        new()
        {
            Name = "gemma2", Architecture = "gemma2", Exercises = "soft-caps, post norms, GELU, scaled embedding, a window of 24 in every other block", HeadSize = 128, PostNorms = true, EmbeddingDeviation = 0.04f,
            Metadata = (file, prefix) =>
            {
                // Real files cap at 50 and 30; the logits of so small a model would not feel it.
                file.Add($"{prefix}attn_logit_softcapping", 4f);
                file.Add($"{prefix}final_logit_softcapping", 6f);
                file.Add($"{prefix}attention.sliding_window", 24u);
            },
        },
        new()
        {
            Name = "gemma3", Architecture = "gemma3", Exercises = "a window of 24 in five blocks of six, two RoPE bases, linear scaling in the sixth only", Blocks = 6, HeadSize = 128,
            HeadNorms = true, PostNorms = true, EmbeddingDeviation = 0.04f,
            Metadata = (file, prefix) =>
            {
                file.Add($"{prefix}rope.freq_base", 1_000_000f);
                file.Add($"{prefix}rope.scaling.type", "linear");
                file.Add($"{prefix}rope.scaling.factor", 8f);
                file.Add($"{prefix}attention.sliding_window", 24u);
            },
        },
        new()
        {
            Name = "phi3", Architecture = "phi3", Exercises = "fused matrices, a window of 48", Fused = true, OutputMatrix = true,
            PeerPositions = 48, PeerLimit = "llama.cpp switches Phi-3's window off: compared up to it",
            Metadata = (file, prefix) =>
            {
                file.Add($"{prefix}rope.freq_base", 10_000f);
                file.Add($"{prefix}rope.scaling.original_context_length", 128u);
                file.Add($"{prefix}attention.sliding_window", 48u);
            },
        },
        new()
        {
            Name = "phi3-long", Architecture = "phi3", Exercises = "the long RoPE factors: the context is beyond the original one", Fused = true, OutputMatrix = true,
            RopeTensors = [("rope_factors_long.weight", Ramp(1, 12)), ("rope_factors_short.weight", Ramp(1, 2))],
            Metadata = (file, prefix) => AddPhiRope(file, prefix, original: 32),
        },
        new()
        {
            Name = "phi3-short", Architecture = "phi3", Exercises = "the short RoPE factors: the context is the original one", Fused = true, OutputMatrix = true,
            Context = 256, // llama.cpp rounds a context up to this before it chooses
            RopeTensors = [("rope_factors_long.weight", Ramp(1, 12)), ("rope_factors_short.weight", Ramp(1, 2))],
            Metadata = (file, prefix) => AddPhiRope(file, prefix, original: 256),
        },
        new()
        {
            Name = "smollm3", Architecture = "smollm3", Exercises = "no RoPE in the fourth block", Blocks = 4,
            Metadata = (file, prefix) => file.Add($"{prefix}rope.freq_base", 5_000_000f),
        },
        new()
        {
            Name = "granite", Architecture = "granite", Exercises = "scales on embedding, attention, residual and logits",
            Metadata = AddGraniteScales,
        },
        new()
        {
            Name = "granitemoe", Architecture = "granitemoe", Exercises = "the same scales about 8 experts, 2 a token", FeedForward = 256, Experts = 8, ExpertsUsed = 2,
            Metadata = AddGraniteScales,
        },
    ];

    /// <summary>The recipe of a name, or null.</summary>
    public static Recipe? Find(string name) => All.FirstOrDefault(recipe => recipe.Name.Equals(name, StringComparison.OrdinalIgnoreCase));

    private static Func<int, float[]> Ramp(float from, float to) =>
        count => [.. Enumerable.Range(0, count).Select(i => from + ((to - from) * i / (count - 1)))];

    private static void AddGraniteScales(GgufWriter file, string prefix)
    {
        file.Add($"{prefix}rope.freq_base", 10_000f);
        file.Add($"{prefix}attention.scale", 0.06f);
        file.Add($"{prefix}embedding_scale", 6f);
        file.Add($"{prefix}residual_scale", 0.4f);
        file.Add($"{prefix}logit_scale", 0.75f);
    }

    private static void AddPhiRope(GgufWriter file, string prefix, uint original)
    {
        file.Add($"{prefix}rope.freq_base", 10_000f);
        file.Add($"{prefix}rope.scaling.original_context_length", original);
        file.Add($"{prefix}rope.scaling.attn_factor", 1.19f);
    }
}
