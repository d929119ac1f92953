using System.Buffers.Binary;
using KwaaiNet.CandelEngine.Models;
using KwaaiNet.CandelEngine.Tensors;

namespace KwaaiNet.CandelEngine.Tests.Compute;

/// <summary>The forward pass written down once more, naively and in double precision, sharing nothing with the engine but the file and its shape.</summary>
internal sealed class ReferenceModel(ModelFile model)
{
    private readonly ModelShape _shape = model.Shape;
    private readonly ReferenceRope _rope = new(model);
    private readonly Dictionary<string, double[][]> _matrices = [];

    /// <summary>Whether activations are brought to integers before they meet quantised weights, as the cpu backend's documentation says.</summary>
    public bool RoundsActivations { get; init; }

    /// <summary>Logits at every position of a sequence.</summary>
    public double[][] Logits(ReadOnlySpan<int> tokens)
    {
        int count = tokens.Length;
        var hidden = new double[count][];
        for (int t = 0; t < count; t++) hidden[t] = [.. Matrix("token_embd.weight")[tokens[t]].Select(v => v * _shape.EmbeddingScale)];

        for (int block = 0; block < _shape.BlockCount; block++) RunBlock(block, hidden);

        string output = Has("output.weight") ? "output.weight" : "token_embd.weight";
        double[][] head = Matrix(output);
        return [.. hidden.Select(h => Multiply(head, Rounded(Norm(h, "output_norm.weight"), output)).Select(l => Cap(l * _shape.LogitScale, _shape.LogitSoftcap)).ToArray())];
    }

    private void RunBlock(int block, double[][] hidden)
    {
        string prefix = $"blk.{block}.";
        int count = hidden.Length;
        var keys = new double[count][];
        var values = new double[count][];
        for (int t = 0; t < count; t++)
        {
            (double[] query, keys[t], values[t]) = QueryKeyValue(prefix, Norm(hidden[t], prefix + "attn_norm.weight"));
            query = _rope.Turn(NormHeads(query, prefix + "attn_q_norm.weight"), block, t);
            keys[t] = _rope.Turn(NormHeads(keys[t], prefix + "attn_k_norm.weight"), block, t);
            double[] attended = Linear(prefix + "attn_output", Attend(block, query, keys, values, t));
            Add(hidden[t], Norm(attended, prefix + "post_attention_norm.weight"));

            double[] x = Norm(hidden[t], prefix + "ffn_norm.weight");
            double[] output = _shape.Experts is null ? FeedForward(prefix, x) : Mixture(prefix, _shape.Experts, x);
            Add(hidden[t], Norm(output, prefix + "post_ffw_norm.weight"));
        }
    }

    private (double[] Query, double[] Key, double[] Value) QueryKeyValue(string prefix, double[] x)
    {
        if (!Has(prefix + "attn_qkv.weight")) return (Linear(prefix + "attn_q", x), Linear(prefix + "attn_k", x), Linear(prefix + "attn_v", x));

        double[] all = Linear(prefix + "attn_qkv", x);
        int query = _shape.HeadCount * _shape.HeadSize;
        int key = query + (_shape.KvHeadCount * _shape.HeadSize);
        return (all[..query], all[query..key], all[key..]);
    }

    private double[] FeedForward(string prefix, double[] x)
    {
        double[] up = Linear(prefix + "ffn_up", x);
        double[] gate = Has(prefix + "ffn_gate.weight") ? Linear(prefix + "ffn_gate", x) : up[..(up.Length / 2)];
        return Linear(prefix + "ffn_down", Gated(gate, up[^gate.Length..]));
    }

    private double[] Mixture(string prefix, ExpertShape experts, double[] x)
    {
        double[] logits = Linear(prefix + "ffn_gate_inp", x);
        double[] powers = [.. logits.Select(l => Math.Exp(l - logits.Max()))];
        int[] best = [.. Enumerable.Range(0, experts.Count).OrderByDescending(e => powers[e]).Take(experts.Used)];
        double whole = experts.NormalizeWeights ? best.Sum(e => powers[e]) : powers.Sum();
        var sum = new double[_shape.Width];
        foreach (int expert in best)
        {
            double[] inner = Gated(Multiply(Expert(prefix + "ffn_gate", expert, experts), x), Multiply(Expert(prefix + "ffn_up", expert, experts), x));
            double[] output = Multiply(Expert(prefix + "ffn_down", expert, experts), inner);
            for (int i = 0; i < sum.Length; i++) sum[i] += powers[expert] / whole * output[i];
        }

        return sum;
    }

    private double[][] Expert(string name, int expert, ExpertShape experts)
    {
        if (Has($"{name}.{expert}.weight")) return Matrix($"{name}.{expert}.weight");

        double[][] all = Matrix(name + "_exps.weight");
        int rows = all.Length / experts.Count;
        return all[(expert * rows)..((expert + 1) * rows)];
    }

    private double[] Gated(double[] gate, double[] up) => [.. gate.Zip(up, (g, u) => (_shape.Activation == GateActivation.Silu ? g / (1 + Math.Exp(-g)) : Gelu(g)) * u)];

    // As ggml's table of binary16 gives it.
    private static double Gelu(double x)
    {
        if (Math.Abs(x) >= 10) return Math.Max(x, 0);

        double rounded = (double)(Half)x;
        return (double)(Half)(rounded / 2 * (1 + Math.Tanh(Math.Sqrt(2 / Math.PI) * (rounded + (0.044715 * rounded * rounded * rounded)))));
    }

    private static double Cap(double x, double cap) => cap == 0 ? x : cap * Math.Tanh(x / cap);

    private double[] Attend(int block, double[] query, double[][] keys, double[][] values, int position)
    {
        int size = _shape.HeadSize;
        int window = _shape.AttentionOf(block).Window;
        int[] seen = [.. Enumerable.Range(0, position + 1).Where(t => window == 0 || position - t < window)];
        var result = new double[_shape.HeadCount * size];
        for (int head = 0; head < _shape.HeadCount; head++)
        {
            int kv = head / (_shape.HeadCount / _shape.KvHeadCount);
            double[] scores = [.. seen.Select(t => Cap(Dot(query, head, keys[t], kv) * _shape.AttentionScale, _shape.AttentionSoftcap))];
            double sum = scores.Sum(s => Math.Exp(s - scores.Max()));
            for (int n = 0; n < seen.Length; n++)
            {
                for (int i = 0; i < size; i++)
                    result[(head * size) + i] += Math.Exp(scores[n] - scores.Max()) / sum * values[seen[n]][(kv * size) + i];
            }
        }

        return result;

        double Dot(double[] q, int qHead, double[] k, int kHead) => Enumerable.Range(0, size).Sum(i => q[(qHead * size) + i] * k[(kHead * size) + i]);
    }

    private double[] NormHeads(double[] heads, string name) => Has(name) ? [.. heads.Chunk(_shape.HeadSize).SelectMany(h => Norm(h, name))] : heads;

    // A norm that the model does not have changes nothing.
    private double[] Norm(double[] x, string name)
    {
        if (!Has(name)) return x;

        double root = Math.Sqrt((x.Sum(v => v * v) / x.Length) + _shape.RmsEpsilon);
        return [.. x.Zip(Matrix(name)[0], (v, w) => v / root * w)];
    }

    private double[] Linear(string name, double[] x)
    {
        double[] y = Multiply(Matrix(name + ".weight"), Rounded(x, name + ".weight"));
        return Has(name + ".bias") ? [.. y.Zip(Matrix(name + ".bias")[0], (v, b) => v + b)] : y;
    }

    // 32 numbers share the scale largest / 127 (16 bits for weights of 8: largest / 32767).
    private double[] Rounded(double[] x, string weights)
    {
        if (!RoundsActivations || !model.TryGetTensor(weights, out TensorData tensor) || tensor.Type.BlockLength() == 1) return x;

        double levels = tensor.Type == GgmlType.Q8_0 ? 32767 : 127;
        return [.. x.Chunk(32).SelectMany(block =>
        {
            double scale = block.Max(Math.Abs) / levels;
            return scale == 0 ? block : block.Select(v => Math.Round(v / scale) * scale);
        })];
    }

    private bool Has(string name) => model.TryGetTensor(name, out _);

    private static double[] Multiply(double[][] matrix, double[] x) => [.. matrix.Select(row => row.Zip(x, (w, v) => w * v).Sum())];

    private void Add(double[] x, double[] y)
    {
        for (int i = 0; i < x.Length; i++) x[i] += _shape.ResidualScale * y[i];
    }

    private double[][] Matrix(string name)
    {
        if (_matrices.TryGetValue(name, out double[][]? known)) return known;

        Assert.True(model.TryGetTensor(name, out TensorData tensor), name);
        byte[] bytes = tensor.Bytes.ToArray();
        int rowBytes = bytes.Length / tensor.Rows;
        var rows = new double[tensor.Rows][];
        for (int r = 0; r < rows.Length; r++)
        {
            rows[r] = new double[tensor.Columns];
            for (int c = 0; c < tensor.Columns; c++) rows[r][c] = Decode(tensor.Type, bytes.AsSpan(r * rowBytes, rowBytes), c);
        }

        return _matrices[name] = rows;
    }

    private static double Decode(GgmlType type, ReadOnlySpan<byte> row, int column)
    {
        switch (type)
        {
            case GgmlType.F32: return BinaryPrimitives.ReadSingleLittleEndian(row[(column * 4)..]);
            case GgmlType.F16: return (double)BinaryPrimitives.ReadHalfLittleEndian(row[(column * 2)..]);
            case GgmlType.Q8_0:
                ReadOnlySpan<byte> q8 = row.Slice(column / 32 * 34, 34);
                return (double)BinaryPrimitives.ReadHalfLittleEndian(q8) * (sbyte)q8[2 + (column % 32)];
            case GgmlType.Q4_0:
                ReadOnlySpan<byte> q4 = row.Slice(column / 32 * 18, 18);
                int nibbles = q4[2 + (column % 16)];
                int nibble = column % 32 < 16 ? nibbles % 16 : nibbles / 16;
                return (double)BinaryPrimitives.ReadHalfLittleEndian(q4) * (nibble - 8);
            default: throw new ArgumentOutOfRangeException(nameof(type), type, null);
        }
    }
}
