using ILGPU;
using KwaaiNet.CandelEngine.Compute.Blocks;
using KwaaiNet.CandelEngine.Models;

namespace KwaaiNet.CandelEngine.Compute.Ilgpu;

/// <summary>One block's weights on the device; what its architecture does not have is null. See <see cref="BlockTensors"/> for the computation.</summary>
internal sealed class IlgpuBlock
{
    internal IlgpuBlock(BlockTensors tensors, ModelShape shape, Func<TensorData, DeviceMatrix> matrix, Func<TensorData?, ArrayView<float>?> vector)
    {
        AttentionNorm = vector(tensors.AttentionNorm)!.Value;
        Query = matrix(tensors.Query);
        Key = matrix(tensors.Key);
        Value = matrix(tensors.Value);
        QueryBias = vector(tensors.QueryBias);
        KeyBias = vector(tensors.KeyBias);
        ValueBias = vector(tensors.ValueBias);
        QueryNorm = vector(tensors.QueryNorm);
        KeyNorm = vector(tensors.KeyNorm);
        AttentionOutput = matrix(tensors.AttentionOutput);
        AttentionOutputBias = vector(tensors.AttentionOutputBias);
        PostAttentionNorm = vector(tensors.PostAttentionNorm);
        FeedForwardNorm = vector(tensors.FeedForwardNorm)!.Value;
        if (tensors.FeedForward is { } layer) FeedForward = new IlgpuFeedForward(layer, matrix, vector);
        else Experts = new IlgpuExperts(shape.Experts!, tensors.Router!.Value, tensors.Experts, matrix, vector);
        PostFeedForwardNorm = vector(tensors.PostFeedForwardNorm);
    }

    internal ArrayView<float> AttentionNorm { get; }

    internal DeviceMatrix Query { get; }

    internal DeviceMatrix Key { get; }

    internal DeviceMatrix Value { get; }

    internal ArrayView<float>? QueryBias { get; }

    internal ArrayView<float>? KeyBias { get; }

    internal ArrayView<float>? ValueBias { get; }

    internal ArrayView<float>? QueryNorm { get; }

    internal ArrayView<float>? KeyNorm { get; }

    internal DeviceMatrix AttentionOutput { get; }

    internal ArrayView<float>? AttentionOutputBias { get; }

    internal ArrayView<float>? PostAttentionNorm { get; }

    internal ArrayView<float> FeedForwardNorm { get; }

    /// <summary>The feed-forward layer; null in a block of experts.</summary>
    internal IlgpuFeedForward? FeedForward { get; }

    /// <summary>The experts; null in a block with one feed-forward layer.</summary>
    internal IlgpuExperts? Experts { get; }

    internal ArrayView<float>? PostFeedForwardNorm { get; }
}
