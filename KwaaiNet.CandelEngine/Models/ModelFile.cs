using KwaaiNet.CandelEngine.Files;
using KwaaiNet.CandelEngine.Sampling;
using KwaaiNet.CandelEngine.Tensors;
using KwaaiNet.CandelEngine.Text;

namespace KwaaiNet.CandelEngine.Models;

/// <summary>An open model: its shape, its vocabulary and template, and its tensors by name. Formats derive from it: GGUF and safetensors.</summary>
/// <remarks>Opening reads the header only; tensor bytes are mapped and touched when a stack loads them. Safe for concurrent reads.</remarks>
public abstract class ModelFile : IDisposable
{
    /// <summary>The full path.</summary>
    public abstract string Path { get; }

    /// <summary>The name in the file's metadata, or the file's name without extension.</summary>
    public abstract string Name { get; }

    /// <summary>Dimensions and constants.</summary>
    public abstract ModelShape Shape { get; }

    /// <summary>How most weights are stored, as people write it: <c>F32</c>, <c>F16</c>, <c>Q8_0</c>, <c>Q4_0</c>.</summary>
    public abstract string WeightFormat { get; }

    /// <summary>Size of the file in bytes; of all parts together where the model is split.</summary>
    public abstract long FileBytes { get; }

    /// <summary>Files that hold the weights: more than 1 where the model is split.</summary>
    public virtual int PartCount => 1;

    /// <summary>SHA-256 over the whole file, over the parts in order where the model is split, lower-case hex: the same on every node that holds the same file. Computed on first use, then kept.</summary>
    public abstract string WeightsHash { get; }

    /// <summary>Encodes text to token ids and back.</summary>
    /// <exception cref="ModelFormatException">The file has no tokenizer, or one this engine does not know.</exception>
    public abstract ITokenizer Tokenizer { get; }

    /// <summary>Turns a conversation into the model's prompt; null when the file has no chat template.</summary>
    /// <exception cref="ModelFormatException">It does not parse; the message names the file, the line and the column.</exception>
    public abstract ChatTemplate? ChatTemplate { get; }

    /// <summary>How the model's makers recommend to draw from it, for what a request leaves open.</summary>
    /// <exception cref="ModelFormatException">The file's recommendation cannot be read.</exception>
    public virtual RecommendedSampling RecommendedSampling => RecommendedSampling.None;

    /// <summary>Looks a tensor up; false when the file has none of that name.</summary>
    /// <param name="name">GGUF's name, such as <c>blk.0.attn_q.weight</c>.</param>
    /// <param name="tensor">Its type, shape and bytes.</param>
    public abstract bool TryGetTensor(string name, out TensorData tensor);

    /// <summary>Names of all tensors, in file order.</summary>
    public abstract IReadOnlyList<string> TensorNames { get; }

    /// <summary>Says that blocks are not in the file, where it holds only some of its model's.</summary>
    /// <param name="first">The first block.</param>
    /// <param name="end">One past the last.</param>
    /// <exception cref="ModelFormatException">A block is not held; the message has the command that pulls it.</exception>
    public virtual void RequireBlocks(int first, int end)
    {
        // A whole model holds all.
    }

    /// <summary>Says that a tensor's bytes were copied and will not be read soon, so that the pages behind them need not stay in this process's memory. They can still be read.</summary>
    /// <param name="tensor">A tensor of this file, or a part of one.</param>
    public virtual void GiveBackPages(TensorData tensor)
    {
        // Nothing to give back where the file is not mapped.
    }

    /// <inheritdoc/>
    public abstract void Dispose();
}
