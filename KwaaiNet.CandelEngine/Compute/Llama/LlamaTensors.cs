using KwaaiNet.CandelEngine.Gguf;
using KwaaiNet.CandelEngine.Models;

namespace KwaaiNet.CandelEngine.Compute.Llama;

/// <summary>The tensors that a range of a llama model needs, found by GGUF's names and checked against the model's shape.</summary>
internal sealed class LlamaTensors
{
    // What a block may hold; anything else (a bias, a norm on queries, experts) is part of the computation that we do not do.
    private static readonly HashSet<string> s_known =
    [
        "attn_norm.weight", "attn_q.weight", "attn_k.weight", "attn_v.weight", "attn_output.weight",
        "ffn_norm.weight", "ffn_gate.weight", "ffn_up.weight", "ffn_down.weight",
        "attn_rot_embd", "attn_rot_embd.weight", // written by early converters, never read
    ];

    private LlamaTensors(LlamaBlockTensors[] blocks) => Blocks = blocks;

    /// <summary>Blocks <c>[FirstBlock, EndBlock)</c>, in order.</summary>
    public LlamaBlockTensors[] Blocks { get; }

    /// <summary>Token embedding, <c>[Vocabulary, Width]</c>, when asked for.</summary>
    public TensorData? Embedding { get; private init; }

    /// <summary>Final RMSNorm, <c>[Width]</c>, when the head was asked for.</summary>
    public TensorData? OutputNorm { get; private init; }

    /// <summary>Output matrix, <c>[Vocabulary, Width]</c>, when the head was asked for; the embedding itself in a tied model.</summary>
    public TensorData? Output { get; private init; }

    /// <summary>Divisors of RoPE's frequencies, <c>[RopeSize / 2]</c> (Llama 3.1 and later); empty for none.</summary>
    public float[] RopeDivisors { get; private init; } = [];

    /// <summary>Every tensor once, in the order of use.</summary>
    public IEnumerable<TensorData> All
    {
        get
        {
            if (Embedding is { } embedding) yield return embedding;
            foreach (LlamaBlockTensors b in Blocks)
            {
                yield return b.AttentionNorm;
                yield return b.Query;
                yield return b.Key;
                yield return b.Value;
                yield return b.AttentionOutput;
                yield return b.FeedForwardNorm;
                yield return b.Gate;
                yield return b.Up;
                yield return b.Down;
            }

            if (OutputNorm is { } norm) yield return norm;
            if (Output is { } output && output != Embedding) yield return output;
        }
    }

    /// <summary>Bytes of all tensors; a tied embedding counts once.</summary>
    public long Bytes => All.Sum(t => t.ByteLength);

    /// <exception cref="ArgumentException">The options ask for something the model does not have there.</exception>
    /// <exception cref="ModelFormatException">A tensor is missing, has the wrong shape or a type that cannot be run.</exception>
    public static LlamaTensors Find(ModelFile model, BlockStackOptions options)
    {
        ModelShape shape = model.Shape;
        if (shape.Architecture != "llama")
            throw new ModelFormatException($"{model.Path}: architecture '{shape.Architecture}' cannot be run; 'llama' can.");
        if (options.FirstBlock < 0 || options.EndBlock > shape.BlockCount || options.FirstBlock >= options.EndBlock)
            throw new ArgumentException($"Blocks [{options.FirstBlock}, {options.EndBlock}) are not a range of the model's {shape.BlockCount}.", nameof(options));
        if (options.Embedding && options.FirstBlock != 0)
            throw new ArgumentException("The embedding belongs to the stack that holds block 0.", nameof(options));
        if (options.OutputHead && options.EndBlock != shape.BlockCount)
            throw new ArgumentException("The output head belongs to the stack that holds the last block.", nameof(options));
        if (options.KvBudgetBytes < 0) throw new ArgumentException("The KV budget is negative.", nameof(options));

        model.RequireBlocks(options.FirstBlock, options.EndBlock);
        RefuseUnknown(model, options);
        var blocks = new LlamaBlockTensors[options.EndBlock - options.FirstBlock];
        for (int i = 0; i < blocks.Length; i++) blocks[i] = FindBlock(model, options.FirstBlock + i);

        return new LlamaTensors(blocks)
        {
            Embedding = options.Embedding ? Matrix(model, "token_embd.weight", shape.VocabularySize, shape.Width) : null,
            OutputNorm = options.OutputHead ? Vector(model, "output_norm.weight", shape.Width) : null,
            Output = options.OutputHead ? Matrix(model, OutputName(model), shape.VocabularySize, shape.Width) : null,
            RopeDivisors = FindRopeDivisors(model),
        };
    }

    private static string OutputName(ModelFile model) => model.TryGetTensor("output.weight", out _) ? "output.weight" : "token_embd.weight";

    private static LlamaBlockTensors FindBlock(ModelFile model, int block)
    {
        ModelShape shape = model.Shape;
        string prefix = $"blk.{block}.";
        int queryWidth = shape.HeadCount * shape.HeadSize;
        return new LlamaBlockTensors
        {
            AttentionNorm = Vector(model, prefix + "attn_norm.weight", shape.Width),
            Query = Matrix(model, prefix + "attn_q.weight", queryWidth, shape.Width),
            Key = Matrix(model, prefix + "attn_k.weight", shape.KvWidth, shape.Width),
            Value = Matrix(model, prefix + "attn_v.weight", shape.KvWidth, shape.Width),
            AttentionOutput = Matrix(model, prefix + "attn_output.weight", shape.Width, queryWidth),
            FeedForwardNorm = Vector(model, prefix + "ffn_norm.weight", shape.Width),
            Gate = Matrix(model, prefix + "ffn_gate.weight", shape.FeedForwardWidth, shape.Width),
            Up = Matrix(model, prefix + "ffn_up.weight", shape.FeedForwardWidth, shape.Width),
            Down = Matrix(model, prefix + "ffn_down.weight", shape.Width, shape.FeedForwardWidth),
        };
    }

    private static TensorData Vector(ModelFile model, string name, int length)
    {
        TensorData tensor = Get(model, name, 1, length);
        if (tensor.Type is not (GgmlType.F32 or GgmlType.F16))
            throw new ModelFormatException($"{model.Path}: '{name}' is stored as {tensor.Type}; a norm's weights are F32 or F16.");
        return tensor;
    }

    private static TensorData Matrix(ModelFile model, string name, int rows, int columns)
    {
        TensorData tensor = Get(model, name, rows, columns);
        if (!WeightLayout.IsKnown(tensor.Type))
            throw new ModelFormatException($"{model.Path}: '{name}' is stored as {tensor.Type}; F32, F16, Q8_0 and Q4_0 can be run.");
        if (columns % tensor.Type.BlockLength() != 0)
            throw new ModelFormatException($"{model.Path}: '{name}' has {columns} columns, which {tensor.Type} cannot store.");
        if (tensor.ByteLength != rows * WeightLayout.RowBytes(tensor.Type, columns))
            throw new ModelFormatException($"{model.Path}: '{name}' occupies {tensor.ByteLength} bytes; its shape needs {rows * WeightLayout.RowBytes(tensor.Type, columns)}.");
        return tensor;
    }

    private static TensorData Get(ModelFile model, string name, int rows, int columns)
    {
        if (!model.TryGetTensor(name, out TensorData tensor)) throw new ModelFormatException($"{model.Path}: tensor '{name}' is missing.");
        if (tensor.Rows != rows || tensor.Columns != columns)
            throw new ModelFormatException($"{model.Path}: '{name}' is {tensor.Rows} x {tensor.Columns}; the model's metadata needs {rows} x {columns}.");
        return tensor;
    }

    private static unsafe float[] FindRopeDivisors(ModelFile model)
    {
        if (!model.TryGetTensor("rope_freqs.weight", out TensorData tensor)) return [];

        tensor = Vector(model, tensor.Name, model.Shape.RopeSize / 2);
        var divisors = new float[tensor.Columns];
        for (int i = 0; i < divisors.Length; i++)
        {
            divisors[i] = WeightLayout.Element(tensor.Type, (byte*)tensor.Address, i);
            if (!(divisors[i] > 0 && float.IsFinite(divisors[i])))
                throw new ModelFormatException($"{model.Path}: '{tensor.Name}' holds {divisors[i]}; frequencies are divided by positive numbers.");
        }

        return divisors;
    }

    private static void RefuseUnknown(ModelFile model, BlockStackOptions options)
    {
        foreach (string name in model.TensorNames)
        {
            if (!name.StartsWith("blk.", StringComparison.Ordinal)) continue;

            int dot = name.IndexOf('.', 4);
            if (dot < 0 || !int.TryParse(name.AsSpan(4, dot - 4), out int block)) continue;
            if (block < options.FirstBlock || block >= options.EndBlock || s_known.Contains(name[(dot + 1)..])) continue;

            throw new ModelFormatException($"{model.Path}: '{name}' is not part of a plain llama block and cannot be run.");
        }
    }
}
