using System.Buffers.Binary;
using KwaaiNet.CandelEngine.Gguf;
using KwaaiNet.CandelEngine.Models;

namespace KwaaiNet.CandelEngine.Tests.Compute;

/// <summary>The llama forward pass written down once more, naively and in double precision, sharing nothing with the engine but the file.</summary>
internal sealed class ReferenceLlama(ModelFile model)
{
    private readonly ModelShape _shape = model.Shape;
    private readonly Dictionary<string, double[][]> _matrices = [];

    /// <summary>Logits at every position of a sequence.</summary>
    public double[][] Logits(ReadOnlySpan<int> tokens)
    {
        int count = tokens.Length;
        var hidden = new double[count][];
        for (int t = 0; t < count; t++) hidden[t] = [.. Matrix("token_embd.weight")[tokens[t]]];

        for (int block = 0; block < _shape.BlockCount; block++) RunBlock($"blk.{block}.", hidden);

        double[][] head = Matrix(model.TryGetTensor("output.weight", out _) ? "output.weight" : "token_embd.weight");
        return [.. hidden.Select(h => Multiply(head, Norm(h, Matrix("output_norm.weight")[0])))];
    }

    private void RunBlock(string prefix, double[][] hidden)
    {
        int count = hidden.Length;
        var keys = new double[count][];
        var values = new double[count][];
        for (int t = 0; t < count; t++)
        {
            double[] x = Norm(hidden[t], Matrix(prefix + "attn_norm.weight")[0]);
            double[] query = Rope(Multiply(Matrix(prefix + "attn_q.weight"), x), t);
            keys[t] = Rope(Multiply(Matrix(prefix + "attn_k.weight"), x), t);
            values[t] = Multiply(Matrix(prefix + "attn_v.weight"), x);
            Add(hidden[t], Multiply(Matrix(prefix + "attn_output.weight"), Attend(query, keys, values, t)));

            double[] y = Norm(hidden[t], Matrix(prefix + "ffn_norm.weight")[0]);
            double[] gate = Multiply(Matrix(prefix + "ffn_gate.weight"), y);
            double[] up = Multiply(Matrix(prefix + "ffn_up.weight"), y);
            double[] inner = [.. gate.Zip(up, (g, u) => g / (1 + Math.Exp(-g)) * u)];
            Add(hidden[t], Multiply(Matrix(prefix + "ffn_down.weight"), inner));
        }
    }

    private double[] Attend(double[] query, double[][] keys, double[][] values, int position)
    {
        int size = _shape.HeadSize;
        var result = new double[_shape.HeadCount * size];
        for (int head = 0; head < _shape.HeadCount; head++)
        {
            int kv = head / (_shape.HeadCount / _shape.KvHeadCount);
            var weights = new double[position + 1];
            for (int t = 0; t <= position; t++)
            {
                for (int i = 0; i < size; i++) weights[t] += query[(head * size) + i] * keys[t][(kv * size) + i];
                weights[t] /= Math.Sqrt(size);
            }

            double most = weights.Max();
            double sum = weights.Sum(w => Math.Exp(w - most));
            for (int t = 0; t <= position; t++)
            {
                for (int i = 0; i < size; i++)
                    result[(head * size) + i] += Math.Exp(weights[t] - most) / sum * values[t][(kv * size) + i];
            }
        }

        return result;
    }

    private double[] Rope(double[] heads, int position)
    {
        double[] turned = [.. heads];
        double[]? divisors = model.TryGetTensor("rope_freqs.weight", out _) ? Matrix("rope_freqs.weight")[0] : null;
        for (int start = 0; start < heads.Length; start += _shape.HeadSize)
        {
            for (int i = 0; i < _shape.RopeSize; i += 2)
            {
                double angle = position * Math.Pow(_shape.RopeBase, -(double)i / _shape.RopeSize) / (divisors?[i / 2] ?? 1);
                (double a, double b) = (heads[start + i], heads[start + i + 1]);
                turned[start + i] = (a * Math.Cos(angle)) - (b * Math.Sin(angle));
                turned[start + i + 1] = (a * Math.Sin(angle)) + (b * Math.Cos(angle));
            }
        }

        return turned;
    }

    private double[] Norm(double[] x, double[] weights)
    {
        double root = Math.Sqrt((x.Sum(v => v * v) / x.Length) + _shape.RmsEpsilon);
        return [.. x.Zip(weights, (v, w) => v / root * w)];
    }

    private static double[] Multiply(double[][] matrix, double[] x) => [.. matrix.Select(row => row.Zip(x, (w, v) => w * v).Sum())];

    private static void Add(double[] x, double[] y)
    {
        for (int i = 0; i < x.Length; i++) x[i] += y[i];
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
