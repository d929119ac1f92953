using KwaaiNet.CandelEngine.Files;
using KwaaiNet.CandelEngine.Models;
using KwaaiNet.CandelEngine.Models.Architectures;
using KwaaiNet.CandelEngine.Tensors;

namespace KwaaiNet.CandelEngine.Compute.Blocks;

/// <summary>Finds the tensors of one block: the plain ones, and those its architecture declares.</summary>
internal sealed class BlockFinder(TensorFinder tensors, ModelShape shape, Architecture architecture)
{
    /// <exception cref="ModelFormatException">A tensor is missing, has the wrong shape or a type that cannot be run.</exception>
    public BlockTensors Find(int block)
    {
        string prefix = $"blk.{block}.";
        (TensorData query, TensorData key, TensorData value) = FindQueryKeyValue(prefix);
        (TensorData? queryBias, TensorData? keyBias, TensorData? valueBias) = FindQueryKeyValueBias(prefix);
        return new BlockTensors
        {
            AttentionNorm = tensors.Vector(prefix + "attn_norm.weight", shape.Width),
            Query = query,
            Key = key,
            Value = value,
            QueryBias = queryBias,
            KeyBias = keyBias,
            ValueBias = valueBias,
            QueryNorm = Part(BlockParts.QueryKeyNorm, prefix + "attn_q_norm.weight", shape.HeadSize),
            KeyNorm = Part(BlockParts.QueryKeyNorm, prefix + "attn_k_norm.weight", shape.HeadSize),
            AttentionOutput = tensors.Matrix(prefix + "attn_output.weight", shape.Width, shape.QueryWidth),
            AttentionOutputBias = Part(BlockParts.AttentionOutputBias, prefix + "attn_output.bias", shape.Width),
            PostAttentionNorm = Part(BlockParts.PostNorms, prefix + "post_attention_norm.weight", shape.Width),
            FeedForwardNorm = tensors.Vector(prefix + "ffn_norm.weight", shape.Width),
            FeedForward = shape.Experts is null ? FindFeedForward(prefix) : null,
            Router = shape.Experts is { } experts ? tensors.Matrix(prefix + "ffn_gate_inp.weight", experts.Count, shape.Width) : null,
            Experts = shape.Experts is null ? [] : FindExperts(prefix, shape.Experts),
            PostFeedForwardNorm = Part(BlockParts.PostNorms, prefix + "post_ffw_norm.weight", shape.Width),
        };
    }

    private TensorData? Part(BlockParts part, string name, int length) =>
        (architecture.Required & part) != 0 ? tensors.Vector(name, length)
        : architecture.Allows(part) ? tensors.VectorIfThere(name, length)
        : null;

    private (TensorData Query, TensorData Key, TensorData Value) FindQueryKeyValue(string prefix)
    {
        string fused = prefix + "attn_qkv.weight";
        if (architecture.Allows(BlockParts.FusedQueryKeyValue) && tensors.Has(fused))
            return Split(tensors.Matrix(fused, shape.QueryWidth + (2 * shape.KvWidth), shape.Width));

        return (
            tensors.Matrix(prefix + "attn_q.weight", shape.QueryWidth, shape.Width),
            tensors.Matrix(prefix + "attn_k.weight", shape.KvWidth, shape.Width),
            tensors.Matrix(prefix + "attn_v.weight", shape.KvWidth, shape.Width));
    }

    private (TensorData? Query, TensorData? Key, TensorData? Value) FindQueryKeyValueBias(string prefix)
    {
        string fused = prefix + "attn_qkv.bias";
        if (architecture.Allows(BlockParts.QueryKeyValueBias) && tensors.Has(fused))
        {
            // A vector is one row of numbers; as a column its parts are rows, as those of the matrix are.
            TensorData bias = tensors.Vector(fused, shape.QueryWidth + (2 * shape.KvWidth));
            (TensorData query, TensorData key, TensorData value) = Split(bias with { Rows = bias.Columns, Columns = 1 });
            return (AsVector(query), AsVector(key), AsVector(value));
        }

        return (
            Part(BlockParts.QueryKeyValueBias, prefix + "attn_q.bias", shape.QueryWidth),
            Part(BlockParts.QueryKeyValueBias, prefix + "attn_k.bias", shape.KvWidth),
            Part(BlockParts.QueryKeyValueBias, prefix + "attn_v.bias", shape.KvWidth));
    }

    private (TensorData Query, TensorData Key, TensorData Value) Split(TensorData fused) => (
        TensorFinder.Rows(fused, 0, shape.QueryWidth),
        TensorFinder.Rows(fused, shape.QueryWidth, shape.KvWidth),
        TensorFinder.Rows(fused, shape.QueryWidth + shape.KvWidth, shape.KvWidth));

    private static TensorData AsVector(TensorData column) => column with { Rows = 1, Columns = column.Rows };

    private FeedForwardTensors FindFeedForward(string prefix)
    {
        int width = shape.FeedForwardWidth;
        string gateName = prefix + "ffn_gate.weight";
        string upName = prefix + "ffn_up.weight";
        TensorData gate;
        TensorData up;
        if (architecture.Allows(BlockParts.FusedGateUp) && !tensors.Has(gateName))
        {
            TensorData fused = tensors.Matrix(upName, 2 * width, shape.Width);
            (gate, up) = (TensorFinder.Rows(fused, 0, width), TensorFinder.Rows(fused, width, width));
        }
        else
        {
            (gate, up) = (tensors.Matrix(gateName, width, shape.Width), tensors.Matrix(upName, width, shape.Width));
        }

        return new FeedForwardTensors(gate, up, tensors.Matrix(prefix + "ffn_down.weight", shape.Width, width))
        {
            GateBias = Part(BlockParts.FeedForwardBias, prefix + "ffn_gate.bias", width),
            UpBias = Part(BlockParts.FeedForwardBias, prefix + "ffn_up.bias", width),
            DownBias = Part(BlockParts.FeedForwardBias, prefix + "ffn_down.bias", shape.Width),
        };
    }

    private FeedForwardTensors[] FindExperts(string prefix, ExpertShape experts)
    {
        int width = experts.FeedForwardWidth;
        TensorData[] gates = FindExperts(prefix + "ffn_gate", experts.Count, width, shape.Width);
        TensorData[] ups = FindExperts(prefix + "ffn_up", experts.Count, width, shape.Width);
        TensorData[] downs = FindExperts(prefix + "ffn_down", experts.Count, shape.Width, width);
        return [.. gates.Select((gate, i) => new FeedForwardTensors(gate, ups[i], downs[i]))];
    }

    // One tensor [columns, rows, experts], or, in files of early 2024 and from per-expert formats, one a piece: ffn_gate.3.weight.
    private TensorData[] FindExperts(string name, int count, int rows, int columns)
    {
        string stacked = name + "_exps.weight";
        if (!tensors.Has(stacked) && tensors.Has(name + ".0.weight"))
            return [.. Enumerable.Range(0, count).Select(i => tensors.Matrix($"{name}.{i}.weight", rows, columns))];

        if ((long)count * rows > int.MaxValue) throw tensors.Problem(stacked, $"would have {count} times {rows} rows");
        TensorData all = tensors.Matrix(stacked, count * rows, columns);
        return [.. Enumerable.Range(0, count).Select(i => TensorFinder.Rows(all, i * rows, rows))];
    }
}
