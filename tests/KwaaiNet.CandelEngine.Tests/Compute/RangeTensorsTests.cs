using KwaaiNet.CandelEngine.Compute;
using KwaaiNet.CandelEngine.Compute.Blocks;
using KwaaiNet.CandelEngine.Files;
using KwaaiNet.CandelEngine.Models;
using KwaaiNet.CandelEngine.Tensors;

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
    public void A_part_that_the_architecture_cannot_do_without_is_named_when_missing()
    {
        using SyntheticModel model = new(SyntheticKind.Of("qwen3"));
        PatchedModel patched = new(model.File);
        patched.Tensors["blk.3.attn_k_norm.weight"] = null;

        AssertRefused(patched, s_all, "blk.3.attn_k_norm.weight", "missing");
    }

    [Fact]
    public void A_matrix_beside_the_fused_one_is_refused()
    {
        using SyntheticModel model = new(SyntheticKind.Of("phi3"));
        PatchedModel patched = new(model.File);
        model.File.TryGetTensor("blk.0.attn_output.weight", out TensorData matrix);
        patched.Tensors["blk.0.attn_q.weight"] = matrix;

        AssertRefused(patched, s_all, "blk.0.attn_q.weight");
    }

    [Fact]
    public void A_bias_on_the_output_is_refused_where_the_output_is_held()
    {
        using SyntheticModel model = new(GgmlType.F32);
        PatchedModel patched = new(model.File);
        model.File.TryGetTensor("output_norm.weight", out TensorData norm);
        patched.Tensors["output.bias"] = norm;

        AssertRefused(patched, s_all, "output.bias");
        Assert.Single(RangeTensors.Find(patched, new BlockStackOptions { FirstBlock = 0, EndBlock = 1 }).Blocks);
    }

    [Fact]
    public void Parts_of_fused_matrices_lie_where_the_file_maps_them()
    {
        using SyntheticModel model = new(SyntheticKind.Of("phi3"), GgmlType.F16);
        BlockTensors block = RangeTensors.Find(model.File, s_all).Blocks[1];
        model.File.TryGetTensor("blk.1.attn_qkv.weight", out TensorData fused);

        Assert.Equal([64, 32, 32], new[] { block.Query, block.Key, block.Value }.Select(t => t.Rows));
        Assert.Equal([0L, 64 * 128L, 96 * 128L], new[] { block.Query, block.Key, block.Value }.Select(t => (long)(t.Address - fused.Address)));
        Assert.Equal(fused.ByteLength, block.Query.ByteLength + block.Key.ByteLength + block.Value.ByteLength);
    }

    [Theory]
    [InlineData("mixtral", 8, 40)]
    [InlineData("mixtral-apart", 4, 107)]
    public void Experts_are_found_stacked_and_apart(string kind, int count, int width)
    {
        using SyntheticModel model = new(SyntheticKind.Of(kind));
        RangeTensors range = RangeTensors.Find(model.File, s_all);

        Assert.All(range.Blocks, block => Assert.Equal(count, block.Experts.Length));
        Assert.All(range.Blocks.SelectMany(b => b.Experts), e => Assert.Equal((width, 64, 64, width), (e.Gate.Rows, e.Up.Columns, e.Down.Rows, e.Down.Columns)));
        Assert.Equal(count * 3, range.Blocks[0].Experts.SelectMany(e => e.All).OfType<TensorData>().Select(t => t.Address).Distinct().Count());
        Assert.Equal(model.File.TensorNames.Sum(n => model.File.TryGetTensor(n, out TensorData t) ? t.ByteLength : 0), range.Bytes);
    }

    [Fact]
    public void A_stack_of_another_number_of_experts_is_refused()
    {
        using SyntheticModel model = new(SyntheticKind.Of("mixtral"));
        ModelShape shape = model.File.Shape;
        PatchedModel patched = new(model.File) { OtherShape = shape with { Experts = shape.Experts! with { Count = 7 } } };
        model.File.TryGetTensor("blk.0.ffn_gate_inp.weight", out TensorData router);
        for (int block = 0; block < 4; block++) patched.Tensors[$"blk.{block}.ffn_gate_inp.weight"] = router with { Rows = 7, ByteLength = router.ByteLength / 8 * 7 };

        AssertRefused(patched, s_all, "ffn_gate_exps.weight", "280 x 64");
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
