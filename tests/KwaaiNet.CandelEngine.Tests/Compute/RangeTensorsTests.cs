using KwaaiNet.CandelEngine.Compute;
using KwaaiNet.CandelEngine.Compute.Blocks;
using KwaaiNet.CandelEngine.Gguf;
using KwaaiNet.CandelEngine.Models;

namespace KwaaiNet.CandelEngine.Tests.Compute;

/// <summary>Which models are refused, and with what words.</summary>
public sealed class RangeTensorsTests
{
    private static readonly BlockStackOptions s_all = new() { FirstBlock = 0, EndBlock = SyntheticModel.Blocks, Embedding = true, OutputHead = true };

    [Fact]
    public void A_missing_tensor_is_named()
    {
        using SyntheticModel model = new(GgmlType.F32);
        PatchedModel patched = new(model.File);
        patched.Tensors["blk.2.ffn_up.weight"] = null;

        AssertRefused(patched, s_all, "blk.2.ffn_up.weight", "missing");
        Assert.Equal(2, RangeTensors.Find(patched, new BlockStackOptions { FirstBlock = 0, EndBlock = 2 }).Blocks.Length);
    }

    [Fact]
    public void A_tensor_of_another_shape_is_refused()
    {
        using SyntheticModel model = new(GgmlType.F32);
        PatchedModel patched = new(model.File);
        model.File.TryGetTensor("blk.0.attn_k.weight", out TensorData key);
        patched.Tensors["blk.0.attn_k.weight"] = key with { Rows = key.Rows * 2 };

        AssertRefused(patched, s_all, "blk.0.attn_k.weight", "32 x 64");
    }

    [Fact]
    public void A_type_that_cannot_be_run_is_refused()
    {
        using SyntheticModel model = new(GgmlType.F32);
        PatchedModel patched = new(model.File);
        model.File.TryGetTensor("blk.0.attn_k.weight", out TensorData key);
        patched.Tensors["blk.0.attn_k.weight"] = key with { Type = (GgmlType)26 };

        AssertRefused(patched, s_all, "blk.0.attn_k.weight", "26");
    }

    [Fact]
    public void A_tensor_that_the_architecture_does_not_have_is_refused()
    {
        using SyntheticModel model = new(GgmlType.F32);
        PatchedModel patched = new(model.File);
        model.File.TryGetTensor("blk.1.attn_norm.weight", out TensorData norm);
        patched.Tensors["blk.1.attn_q_norm.weight"] = norm;

        AssertRefused(patched, s_all, "blk.1.attn_q_norm.weight", "llama");
        Assert.Single(RangeTensors.Find(patched, new BlockStackOptions { FirstBlock = 2, EndBlock = 3 }).Blocks);
    }

    [Fact]
    public void Another_architecture_is_refused()
    {
        using SyntheticModel model = new(GgmlType.F32);

        AssertRefused(new PatchedModel(model.File) { OtherShape = model.File.Shape with { Architecture = "mamba" } }, s_all, "mamba");
    }

    private static void AssertRefused(ModelFile model, BlockStackOptions options, params string[] words)
    {
        ModelFormatException refused = Assert.Throws<ModelFormatException>(() => RangeTensors.Find(model, options));
        Assert.All(words, w => Assert.Contains(w, refused.Message, StringComparison.Ordinal));
    }
}
