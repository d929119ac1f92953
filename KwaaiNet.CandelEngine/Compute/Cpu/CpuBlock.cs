using KwaaiNet.CandelEngine.Compute.Blocks;
using KwaaiNet.CandelEngine.Compute.Cpu.Matrices;

namespace KwaaiNet.CandelEngine.Compute.Cpu;

/// <summary>One block's weights: matrices packed, or where the file maps them, norms and biases decoded and padded. Parts as <see cref="BlockTensors"/> documents them.</summary>
internal sealed class CpuBlock : IDisposable
{
    internal CpuBlock(BlockTensors tensors, MatrixLoader load)
    {
        AttentionNorm = load.Vector(tensors.AttentionNorm);
        Query = load.Matrix(tensors.Query);
        Key = load.Matrix(tensors.Key);
        Value = load.Matrix(tensors.Value);
        QueryBias = load.Vector(tensors.QueryBias);
        KeyBias = load.Vector(tensors.KeyBias);
        ValueBias = load.Vector(tensors.ValueBias);
        QueryNorm = load.Vector(tensors.QueryNorm);
        KeyNorm = load.Vector(tensors.KeyNorm);
        AttentionOutput = load.Matrix(tensors.AttentionOutput);
        AttentionOutputBias = load.Vector(tensors.AttentionOutputBias);
        PostAttentionNorm = load.Vector(tensors.PostAttentionNorm);
        FeedForwardNorm = load.Vector(tensors.FeedForwardNorm);
        FeedForward = tensors.FeedForward is { } layer ? new CpuFeedForwardWeights(layer, load) : null;
        Router = tensors.Router is { } router ? load.Matrix(router) : null;
        Experts = Array.ConvertAll(tensors.Experts, expert => new CpuFeedForwardWeights(expert, load));
        PostFeedForwardNorm = load.Vector(tensors.PostFeedForwardNorm);
    }

    internal CpuVector AttentionNorm { get; }

    internal CpuMatrix Query { get; }

    internal CpuMatrix Key { get; }

    internal CpuMatrix Value { get; }

    internal CpuVector QueryBias { get; }

    internal CpuVector KeyBias { get; }

    internal CpuVector ValueBias { get; }

    internal CpuVector QueryNorm { get; }

    internal CpuVector KeyNorm { get; }

    internal CpuMatrix AttentionOutput { get; }

    internal CpuVector AttentionOutputBias { get; }

    internal CpuVector PostAttentionNorm { get; }

    internal CpuVector FeedForwardNorm { get; }

    /// <summary>The feed-forward layer; null in a block of experts.</summary>
    internal CpuFeedForwardWeights? FeedForward { get; }

    /// <summary>Picks experts; null in a block without.</summary>
    internal CpuMatrix? Router { get; }

    internal CpuFeedForwardWeights[] Experts { get; }

    internal CpuVector PostFeedForwardNorm { get; }

    public void Dispose()
    {
        foreach (CpuMatrix? matrix in (CpuMatrix?[])[Query, Key, Value, AttentionOutput, Router]) matrix?.Dispose();
        CpuVector[] vectors =
        [
            AttentionNorm, QueryBias, KeyBias, ValueBias, QueryNorm, KeyNorm, AttentionOutputBias, PostAttentionNorm, FeedForwardNorm, PostFeedForwardNorm,
        ];
        foreach (CpuVector vector in vectors) vector.Dispose();
        FeedForward?.Dispose();
        foreach (CpuFeedForwardWeights expert in Experts) expert.Dispose();
    }
}
