using KwaaiNet.CandelEngine.Compute.Blocks;
using KwaaiNet.CandelEngine.Compute.Cpu.Kernels;

namespace KwaaiNet.CandelEngine.Compute.Cpu;

/// <summary>One block's weights: matrices where the file maps them, norms and biases decoded and padded. Parts as <see cref="BlockTensors"/> documents them.</summary>
internal sealed class CpuBlock : IDisposable
{
    internal CpuBlock(BlockTensors tensors)
    {
        AttentionNorm = new CpuVector(tensors.AttentionNorm);
        Query = new WeightMatrix(tensors.Query);
        Key = new WeightMatrix(tensors.Key);
        Value = new WeightMatrix(tensors.Value);
        QueryBias = new CpuVector(tensors.QueryBias);
        KeyBias = new CpuVector(tensors.KeyBias);
        ValueBias = new CpuVector(tensors.ValueBias);
        QueryNorm = new CpuVector(tensors.QueryNorm);
        KeyNorm = new CpuVector(tensors.KeyNorm);
        AttentionOutput = new WeightMatrix(tensors.AttentionOutput);
        AttentionOutputBias = new CpuVector(tensors.AttentionOutputBias);
        PostAttentionNorm = new CpuVector(tensors.PostAttentionNorm);
        FeedForwardNorm = new CpuVector(tensors.FeedForwardNorm);
        FeedForward = tensors.FeedForward is { } layer ? new CpuFeedForwardWeights(layer) : null;
        if (tensors.Router is { } router) Router = new WeightMatrix(router);
        Experts = Array.ConvertAll(tensors.Experts, expert => new CpuFeedForwardWeights(expert));
        PostFeedForwardNorm = new CpuVector(tensors.PostFeedForwardNorm);
    }

    internal CpuVector AttentionNorm { get; }

    internal WeightMatrix Query { get; }

    internal WeightMatrix Key { get; }

    internal WeightMatrix Value { get; }

    internal CpuVector QueryBias { get; }

    internal CpuVector KeyBias { get; }

    internal CpuVector ValueBias { get; }

    internal CpuVector QueryNorm { get; }

    internal CpuVector KeyNorm { get; }

    internal WeightMatrix AttentionOutput { get; }

    internal CpuVector AttentionOutputBias { get; }

    internal CpuVector PostAttentionNorm { get; }

    internal CpuVector FeedForwardNorm { get; }

    /// <summary>The feed-forward layer; null in a block of experts.</summary>
    internal CpuFeedForwardWeights? FeedForward { get; }

    internal WeightMatrix Router { get; }

    internal CpuFeedForwardWeights[] Experts { get; }

    internal CpuVector PostFeedForwardNorm { get; }

    public void Dispose()
    {
        CpuVector[] vectors =
        [
            AttentionNorm, QueryBias, KeyBias, ValueBias, QueryNorm, KeyNorm, AttentionOutputBias, PostAttentionNorm, FeedForwardNorm, PostFeedForwardNorm,
        ];
        foreach (CpuVector vector in vectors) vector.Dispose();
        FeedForward?.Dispose();
        foreach (CpuFeedForwardWeights expert in Experts) expert.Dispose();
    }
}
