using System.Globalization;
using KwaaiNet.CandelEngine.Files;
using KwaaiNet.CandelEngine.Models;
using KwaaiNet.CandelEngine.Models.Architectures;
using KwaaiNet.CandelEngine.Tensors;

namespace KwaaiNet.CandelEngine.Compute.Blocks;

/// <summary>The tensors that a range of a model's blocks needs, found by GGUF's names and checked against the model's shape.</summary>
internal sealed class RangeTensors
{
    // Written by early converters, never read.
    private static readonly HashSet<string> s_ignored = ["attn_rot_embd", "attn_rot_embd.weight"];

    private RangeTensors(BlockTensors[] blocks) => Blocks = blocks;

    /// <summary>Blocks <c>[FirstBlock, EndBlock)</c>, in order.</summary>
    public BlockTensors[] Blocks { get; }

    /// <summary>Token embedding, <c>[Vocabulary, Width]</c>, when asked for.</summary>
    public TensorData? Embedding { get; private init; }

    /// <summary>Final RMSNorm, <c>[Width]</c>, when the head was asked for.</summary>
    public TensorData? OutputNorm { get; private init; }

    /// <summary>Output matrix, <c>[Vocabulary, Width]</c>, when the head was asked for; the embedding itself in a tied model.</summary>
    public TensorData? Output { get; private init; }

    /// <summary>Divisors of RoPE's frequencies, <c>[RopeSize / 2]</c> (Llama 3.1 and later, LongRoPE); empty for none.</summary>
    public float[] RopeDivisors { get; private init; } = [];

    /// <summary>Every tensor once, in the order of use.</summary>
    public IEnumerable<TensorData> All
    {
        get
        {
            if (Embedding is { } embedding) yield return embedding;
            foreach (TensorData tensor in Blocks.SelectMany(b => b.All)) yield return tensor;
            if (OutputNorm is { } norm) yield return norm;
            if (Output is { } output && output != Embedding) yield return output;
        }
    }

    /// <summary>Bytes of all tensors; a tied embedding counts once.</summary>
    public long Bytes => All.Sum(t => t.ByteLength);

    /// <exception cref="ArgumentException">The options ask for something the model does not have there.</exception>
    /// <exception cref="ModelFormatException">A tensor is missing, has the wrong shape or a type that cannot be run, or is none of the architecture's.</exception>
    public static RangeTensors Find(ModelFile model, BlockStackOptions options)
    {
        ModelShape shape = model.Shape;
        Architecture architecture = KnownArchitectures.Find(shape.Architecture)
            ?? throw new ModelFormatException($"{model.Path}: architecture '{shape.Architecture}' cannot be run; {string.Join(", ", KnownArchitectures.Names)} can.");
        if (options.FirstBlock < 0 || options.EndBlock > shape.BlockCount || options.FirstBlock >= options.EndBlock)
            throw new ArgumentException($"Blocks [{options.FirstBlock}, {options.EndBlock}) are not a range of the model's {shape.BlockCount}.", nameof(options));
        if (options.Embedding && options.FirstBlock != 0)
            throw new ArgumentException("The embedding belongs to the stack that holds block 0.", nameof(options));
        if (options.OutputHead && options.EndBlock != shape.BlockCount)
            throw new ArgumentException("The output head belongs to the stack that holds the last block.", nameof(options));
        if (options.KvBudgetBytes < 0) throw new ArgumentException("The KV budget is negative.", nameof(options));
        model.RequireBlocks(options.FirstBlock, options.EndBlock);

        TensorFinder tensors = new(model);
        BlockFinder finder = new(tensors, shape, architecture);
        var blocks = new BlockTensors[options.EndBlock - options.FirstBlock];
        for (int i = 0; i < blocks.Length; i++) blocks[i] = finder.Find(options.FirstBlock + i);

        string output = tensors.Has("output.weight") ? "output.weight" : "token_embd.weight";
        RangeTensors range = new(blocks)
        {
            Embedding = options.Embedding ? tensors.Matrix("token_embd.weight", shape.VocabularySize, shape.Width) : null,
            OutputNorm = options.OutputHead ? tensors.Vector("output_norm.weight", shape.Width) : null,
            Output = options.OutputHead ? tensors.Matrix(output, shape.VocabularySize, shape.Width) : null,
            RopeDivisors = RopeDivisorTensor.Read(tensors, shape, architecture),
        };
        RefuseUnknown(model, options, tensors, architecture);
        return range;
    }

    private static void RefuseUnknown(ModelFile model, BlockStackOptions options, TensorFinder tensors, Architecture architecture)
    {
        foreach (string name in model.TensorNames)
        {
            if (IsPartOfRange(name, options) && !tensors.IsUsed(name))
                throw tensors.Problem(name, $"is not part of a block of {architecture.Name} as this engine knows it, and cannot be run");
        }
    }

    private static bool IsPartOfRange(string name, BlockStackOptions options)
    {
        const string Prefix = "blk.";
        if (!name.StartsWith(Prefix, StringComparison.Ordinal)) return options.OutputHead && name is "output.bias" or "output_norm.bias";

        int dot = name.IndexOf('.', Prefix.Length);
        return dot >= 0
            && int.TryParse(name.AsSpan(Prefix.Length, dot - Prefix.Length), NumberStyles.None, CultureInfo.InvariantCulture, out int block)
            && block >= options.FirstBlock
            && block < options.EndBlock
            && !s_ignored.Contains(name[(dot + 1)..]);
    }
}
