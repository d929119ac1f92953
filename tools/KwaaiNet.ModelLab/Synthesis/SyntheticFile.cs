using System.Globalization;
using KwaaiNet.CandelEngine.Gguf;
using KwaaiNet.CandelEngine.Tensors;
using KwaaiNet.ModelLab.Conversion;

namespace KwaaiNet.ModelLab.Synthesis;

/// <summary>Writes a recipe's model file. The same recipe, type and seed give the same bytes on every machine.</summary>
internal static class SyntheticFile
{
    /// <summary>Deviation of a matrix's numbers times the root of its row's length: large enough that attention is not flat.</summary>
    private const float Gain = 1.5f;

    /// <summary>Writes the file.</summary>
    /// <param name="path">Where to.</param>
    /// <param name="recipe">What.</param>
    /// <param name="type">How the weights are stored; vectors stay float32.</param>
    /// <param name="seed">Decides the weights.</param>
    public static void Write(string path, Recipe recipe, GgmlType type, int seed)
    {
        using GgufWriter writer = new(File.Create(path));
        AddMetadata(writer, recipe, seed);
        SyntheticTensor[] tensors = [.. Tensors(recipe)];
        foreach (SyntheticTensor tensor in tensors)
            writer.AddTensor(tensor.Name, tensor.Shape, tensor.IsWeight ? type : GgmlType.F32);
        foreach (SyntheticTensor tensor in tensors)
            writer.WriteTensor(tensor.Name, TensorEncoding.Encode(tensor.IsWeight ? type : GgmlType.F32, tensor.Numbers(seed)));
        writer.Finish();
    }

    private static void AddMetadata(GgufWriter writer, Recipe recipe, int seed)
    {
        string prefix = recipe.Architecture + ".";
        writer.Add("general.architecture", recipe.Architecture);
        // Not the recipe's name: llama.cpp looks for special tokens by the family that a name speaks of ("phi3").
        writer.Add("general.name", string.Create(CultureInfo.InvariantCulture, $"synthetic model {seed}"));
        writer.Add(prefix + "block_count", (uint)recipe.Blocks);
        writer.Add(prefix + "context_length", (uint)recipe.Context);
        writer.Add(prefix + "embedding_length", (uint)recipe.Width);
        writer.Add(prefix + "feed_forward_length", (uint)recipe.FeedForward);
        writer.Add(prefix + "attention.head_count", (uint)recipe.Heads);
        writer.Add(prefix + "attention.head_count_kv", (uint)recipe.KvHeads);
        writer.Add(prefix + "attention.layer_norm_rms_epsilon", recipe.Architecture.StartsWith("gemma", StringComparison.Ordinal) ? 1e-6f : 1e-5f);
        if (recipe.HeadSize * recipe.Heads != recipe.Width)
        {
            writer.Add(prefix + "attention.key_length", (uint)recipe.HeadSize);
            writer.Add(prefix + "attention.value_length", (uint)recipe.HeadSize);
        }

        // The Llama family's converters write these two; the others' do not.
        if (recipe.Architecture is "llama" or "smollm3" or "granite" or "granitemoe")
        {
            writer.Add(prefix + "vocab_size", (uint)SyntheticVocabulary.Size);
            writer.Add(prefix + "rope.dimension_count", (uint)recipe.HeadSize);
        }
        else if (recipe.Architecture == "phi3")
        {
            writer.Add(prefix + "rope.dimension_count", (uint)recipe.HeadSize);
        }

        if (recipe.Experts > 0)
        {
            writer.Add(prefix + "expert_count", (uint)recipe.Experts);
            writer.Add(prefix + "expert_used_count", (uint)recipe.ExpertsUsed);
        }

        recipe.Metadata?.Invoke(writer, prefix);
        SyntheticVocabulary.Add(writer);
    }

    private static IEnumerable<SyntheticTensor> Tensors(Recipe recipe)
    {
        yield return new("token_embd.weight", [recipe.Width, SyntheticVocabulary.Size], SyntheticFill.Normal, recipe.EmbeddingDeviation);
        foreach ((string name, Func<int, float[]> values) in recipe.RopeTensors)
            yield return new(name, [recipe.HeadSize / 2], SyntheticFill.Given, Values: values(recipe.HeadSize / 2));
        for (int block = 0; block < recipe.Blocks; block++)
        {
            foreach (SyntheticTensor tensor in AttentionTensors(recipe, $"blk.{block}.").Concat(FeedForwardTensors(recipe, $"blk.{block}.")))
                yield return tensor;
        }

        yield return Norm("output_norm.weight", recipe.Width);
        if (recipe.OutputMatrix)
            yield return Matrix("output.weight", recipe.Width, SyntheticVocabulary.Size);
    }

    private static IEnumerable<SyntheticTensor> AttentionTensors(Recipe recipe, string block)
    {
        int queries = recipe.Heads * recipe.HeadSize;
        int keys = recipe.KvHeads * recipe.HeadSize;
        yield return Norm(block + "attn_norm.weight", recipe.Width);
        if (recipe.Fused)
        {
            yield return Matrix(block + "attn_qkv.weight", recipe.Width, queries + (2 * keys));
        }
        else
        {
            foreach ((string name, int rows) in new[] { ("attn_q", queries), ("attn_k", keys), ("attn_v", keys) })
            {
                yield return Matrix($"{block}{name}.weight", recipe.Width, rows);
                if (recipe.ProjectionBias)
                    yield return new($"{block}{name}.bias", [rows], SyntheticFill.Normal, 0.5f);
            }
        }

        if (recipe.HeadNorms)
        {
            yield return Norm(block + "attn_q_norm.weight", recipe.HeadSize);
            yield return Norm(block + "attn_k_norm.weight", recipe.HeadSize);
        }

        yield return Matrix(block + "attn_output.weight", queries, recipe.Width);
        if (recipe.PostNorms)
            yield return Norm(block + "post_attention_norm.weight", recipe.Width);
    }

    private static IEnumerable<SyntheticTensor> FeedForwardTensors(Recipe recipe, string block)
    {
        yield return Norm(block + "ffn_norm.weight", recipe.Width);
        if (recipe.Experts > 0)
        {
            yield return Matrix(block + "ffn_gate_inp.weight", recipe.Width, recipe.Experts);
            yield return Matrix(block + "ffn_gate_exps.weight", recipe.Width, recipe.FeedForward, recipe.Experts);
            yield return Matrix(block + "ffn_up_exps.weight", recipe.Width, recipe.FeedForward, recipe.Experts);
            yield return Matrix(block + "ffn_down_exps.weight", recipe.FeedForward, recipe.Width, recipe.Experts);
        }
        else
        {
            if (!recipe.Fused)
                yield return Matrix(block + "ffn_gate.weight", recipe.Width, recipe.FeedForward);
            yield return Matrix(block + "ffn_up.weight", recipe.Width, recipe.Fused ? 2 * recipe.FeedForward : recipe.FeedForward);
            yield return Matrix(block + "ffn_down.weight", recipe.FeedForward, recipe.Width);
        }

        if (recipe.PostNorms)
            yield return Norm(block + "post_ffw_norm.weight", recipe.Width);
    }

    private static SyntheticTensor Norm(string name, int length) => new(name, [length], SyntheticFill.Norm);

    private static SyntheticTensor Matrix(string name, params long[] shape) => new(name, shape, SyntheticFill.Normal, Gain / MathF.Sqrt(shape[0]));
}
