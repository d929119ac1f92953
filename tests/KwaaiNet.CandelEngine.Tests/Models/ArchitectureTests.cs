using KwaaiNet.CandelEngine.Files;
using KwaaiNet.CandelEngine.Gguf;
using KwaaiNet.CandelEngine.Models;
using KwaaiNet.CandelEngine.Models.Formats;
using KwaaiNet.CandelEngine.Tensors;

namespace KwaaiNet.CandelEngine.Tests.Models;

/// <summary>What metadata of real models means for the block. Keys and values as converters write them.</summary>
public sealed class ArchitectureTests : IDisposable
{
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Absence_is_the_plain_block()
    {
        ModelShape shape = Read("llama", 2);

        Assert.Equal((RopeStyle.Neighbours, null, null, GateActivation.Silu, false), (shape.RopeStyle, shape.RopeScaling, shape.Experts, shape.Activation, shape.HiddenExceedsHalf));
        Assert.Equal((1f, 1f, 1f, 0f, 0f), (shape.EmbeddingScale, shape.ResidualScale, shape.LogitScale, shape.AttentionSoftcap, shape.LogitSoftcap));
        Assert.Equal(0.25f, shape.AttentionScale); // heads of 16
        Assert.Equal(new BlockAttention(0, new RopeSettings(10_000)), shape.AttentionOf(1));
    }

    [Fact]
    public void Gemma_2_alternates_windows_and_caps_and_scales()
    {
        ModelShape shape = Read("gemma2", 4);

        Assert.Equal([4096, 0, 4096, 0], Enumerable.Range(0, 4).Select(b => shape.AttentionOf(b).Window));
        Assert.Equal((50f, 30f, 8f), (shape.AttentionSoftcap, shape.LogitSoftcap, shape.EmbeddingScale));
        Assert.Equal((RopeStyle.Halves, GateActivation.GeluTanh, true), (shape.RopeStyle, shape.Activation, shape.HiddenExceedsHalf));
        Assert.Equal(0.25f, shape.AttentionScale);
    }

    [Theory]
    [InlineData("gemma2", 46)]
    [InlineData("gemma3", 62)]
    public void The_27_B_Gemmas_scale_queries_by_the_width_a_head(string architecture, int blocks)
    {
        // Heads of 16 as elsewhere, but of 32 numbers by the width: 64 / 2.
        ModelShape shape = Read(architecture, blocks, ("attention.head_count", 2u), ("attention.head_count_kv", 2u), ("attention.key_length", 16u), ("attention.value_length", 16u));

        Assert.Equal(1f / MathF.Sqrt(32), shape.AttentionScale);
    }

    [Fact]
    public void Gemma_3_turns_blocks_with_and_without_a_window_differently()
    {
        ModelShape shape = Read(
            "gemma3", 12, ("attention.sliding_window", 512u), ("rope.freq_base", 1_000_000f), ("rope.scaling.type", "linear"), ("rope.scaling.factor", 8f));

        Assert.Equal([5, 11], Enumerable.Range(0, 12).Where(b => shape.AttentionOf(b).Window == 0));
        Assert.Equal(new BlockAttention(512, new RopeSettings(10_000)), shape.AttentionOf(0));
        RopeSettings global = Assert.IsType<RopeSettings>(shape.AttentionOf(5).Rope);
        Assert.Equal((1_000_000f, 8f, 1f), (global.Base, global.Scaling?.Factor, global.Scaling?.Magnitude));
    }

    [Fact]
    public void Gemma_3_as_Ollama_writes_it_turns_alike()
    {
        ModelShape text = Read("gemma3", 6, ("attention.sliding_window", 512u), ("rope.global.freq_base", 500_000f), ("rope.local.freq_base", 5_000f));
        Assert.Equal((5_000f, 500_000f), (text.AttentionOf(0).Rope?.Base, text.AttentionOf(5).Rope?.Base));

        ModelShape image = Read("gemma3", 34, ("attention.sliding_window", 1024u), ("attention.layer_norm_rms_epsilon", null));
        Assert.Equal(1e-6f, image.RmsEpsilon);
        Assert.Equal(new RopeSettings(10_000), image.AttentionOf(0).Rope);
        Assert.Equal((1_000_000f, 8f), (image.AttentionOf(5).Rope?.Base, image.AttentionOf(5).Rope?.Scaling?.Factor));
        Refused("epsilon", "qwen2", 2, ("attention.layer_norm_rms_epsilon", null));
    }

    [Fact]
    public void A_pattern_may_name_each_block_with_a_window()
    {
        ModelShape shape = Read("gemma3", 3, ("attention.sliding_window", 512u), ("attention.sliding_window_pattern", new[] { false, true, true }));

        Assert.Equal([0, 512, 512], Enumerable.Range(0, 3).Select(b => shape.AttentionOf(b).Window));
        Refused("2 entries", "gemma3", 3, ("attention.sliding_window", 512u), ("attention.sliding_window_pattern", new[] { false, true }));
    }

    [Theory]
    [InlineData("llama")]
    [InlineData("phi3")]
    public void A_window_without_a_pattern_is_every_blocks(string architecture)
    {
        ModelShape shape = Read(architecture, 3, ("attention.sliding_window", 4096u));

        Assert.All(Enumerable.Range(0, 3), b => Assert.Equal(4096, shape.AttentionOf(b).Window));
        BlockAttention attention = shape.AttentionOf(2);
        Assert.Equal((0, 0, 1, 905), (attention.FirstSeen(0), attention.FirstSeen(4095), attention.FirstSeen(4096), attention.FirstSeen(5000)));
    }

    [Fact]
    public void SmolLM_3_does_not_turn_every_fourth_block()
    {
        ModelShape shape = Read("smollm3", 8);

        Assert.Equal([3, 7], Enumerable.Range(0, 8).Where(b => shape.AttentionOf(b).Rope is null));
    }

    [Fact]
    public void Granite_scales_and_divides_logits()
    {
        ModelShape shape = Read("granite", 2, ("embedding_scale", 12f), ("residual_scale", 0.22f), ("attention.scale", 0.0078125f), ("logit_scale", 16f));

        Assert.Equal((12f, 0.22f, 0.0078125f, 0.0625f), (shape.EmbeddingScale, shape.ResidualScale, shape.AttentionScale, shape.LogitScale));
        Assert.Null(Read("granite", 2, ("logit_scale", 16f), ("rope.scaling.finetuned", false)).AttentionOf(1).Rope);
        Refused("granite.logit_scale", "granite", 2);
    }

    [Fact]
    public void Yarn_brings_its_temperature_and_may_take_it_back()
    {
        (string, object?)[] yarn = [("rope.scaling.type", "yarn"), ("rope.scaling.factor", 4f), ("rope.scaling.original_context_length", 32u)];

        RopeScaling scaling = Assert.IsType<RopeScaling>(Read("qwen2", 2, yarn).RopeScaling);
        Assert.Equal((4f, 1f, 32f, 1f, 32), (scaling.Factor, scaling.YarnShare, scaling.BetaFast, scaling.BetaSlow, scaling.OriginalContext));
        Assert.Equal(1 + (0.1f * MathF.Log(4)), scaling.Magnitude, 1e-6f);
        Assert.Equal(1f, Read("mistral3", 2, [.. yarn, ("rope.scaling.yarn_log_multiplier", 1f)]).RopeScaling?.Magnitude);
        Assert.Equal((0f, 1f), Read("qwen2", 2, [.. yarn, ("rope.scaling.yarn_ext_factor", 0f)]).RopeScaling is { } plain ? (plain.YarnShare, plain.Magnitude) : default);
    }

    [Fact]
    public void Scaling_without_a_type_is_linear_and_none_is_none()
    {
        Assert.Equal((2f, 0f), Read("llama", 2, ("rope.scaling.factor", 2f)).RopeScaling is { } s ? (s.Factor, s.YarnShare) : default);
        Assert.Equal(4f, Read("llama", 2, ("rope.scale_linear", 4f)).RopeScaling?.Factor);
        Assert.Null(Read("llama", 2, ("rope.scaling.type", "none"), ("rope.scaling.factor", 2f)).RopeScaling);
    }

    [Fact]
    public void Experts_are_counted_where_the_architecture_has_them()
    {
        ExpertShape mixtral = Assert.IsType<ExpertShape>(Read("llama", 2, ("expert_count", 8u), ("expert_used_count", 2u)).Experts);
        Assert.Equal((8, 2, 107, true), (mixtral.Count, mixtral.Used, mixtral.FeedForwardWidth, mixtral.NormalizeWeights));
        ExpertShape qwen = Assert.IsType<ExpertShape>(
            Read("qwen3moe", 2, ("expert_count", 128u), ("expert_used_count", 8u), ("expert_feed_forward_length", 48u)).Experts);
        Assert.Equal((128, 8, 48), (qwen.Count, qwen.Used, qwen.FeedForwardWidth));

        Refused("mixture of experts", "qwen2", 2, ("expert_count", 8u), ("expert_used_count", 2u));
        Refused("counts none", "qwen3moe", 2);
        Refused("expert_used_count", "llama", 2, ("expert_count", 8u), ("expert_used_count", 9u));
        Refused("shared", "llama", 2, ("expert_count", 8u), ("expert_used_count", 2u), ("expert_shared_count", 1u));
    }

    [Fact]
    public void What_a_block_does_not_do_is_refused_by_name()
    {
        Refused("longrope", "qwen2", 2, ("rope.scaling.type", "longrope"));
        Refused("values of another size", "llama", 2, ("attention.key_length", 16u), ("attention.value_length", 8u));
        Refused("qwen2, qwen3", "mamba", 2);
        Refused("YaRN", "llama", 2, ("rope.scaling.type", "yarn"), ("rope.scaling.factor", 4f), ("rope.freq_base", 1f));
    }

    private void Refused(string said, string architecture, int blocks, params (string Key, object? Value)[] metadata) =>
        Assert.Contains(said, Assert.Throws<ModelFormatException>(() => Read(architecture, blocks, metadata)).Message, StringComparison.Ordinal);

    private ModelShape Read(string architecture, int blocks, params (string Key, object? Value)[] metadata)
    {
        Dictionary<string, object?> values = new()
        {
            ["block_count"] = (uint)blocks,
            ["embedding_length"] = 64u,
            ["attention.head_count"] = 4u,
            ["attention.head_count_kv"] = 2u,
            ["attention.layer_norm_rms_epsilon"] = 1e-5f,
            ["feed_forward_length"] = 107u,
            ["context_length"] = 128u,
            ["vocab_size"] = 101u,
        };
        foreach ((string key, object? value) in metadata) values[key] = value;

        using MemoryStream stream = new();
        using (GgufWriter writer = new(stream, leaveOpen: true))
        {
            writer.Add("general.architecture", architecture);
            foreach ((string key, object? value) in values)
            {
                string full = $"{architecture}.{key}";
                switch (value)
                {
                    case null: break; // left out
                    case uint number: writer.Add(full, number); break;
                    case float number: writer.Add(full, number); break;
                    case string text: writer.Add(full, text); break;
                    case bool truth: writer.Add(full, truth); break;
                    case bool[] truths: writer.AddArray(full, truths); break;
                    default: throw new ArgumentException($"{full} is a {value}.", nameof(metadata));
                }
            }

            writer.AddTensor("output_norm.weight", [64], GgmlType.F32);
            writer.WriteTensor("output_norm.weight", new byte[256]);
            writer.Finish();
        }

        using ModelFile file = ModelFile.Open(_folder.Write($"{Guid.NewGuid():N}.gguf", stream.ToArray()));
        return file.Shape;
    }
}
