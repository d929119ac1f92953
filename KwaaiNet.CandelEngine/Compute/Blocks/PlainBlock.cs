using KwaaiNet.CandelEngine.Models;

namespace KwaaiNet.CandelEngine.Compute.Blocks;

/// <summary>For a backend that runs the plain Llama block only: refuses models that need more, naming what.</summary>
internal static class PlainBlock
{
    /// <exception cref="ModelFormatException">The model needs something beyond the plain block.</exception>
    internal static void Require(ModelFile model, RangeTensors tensors, string backend)
    {
        if (Beyond(model.Shape, tensors) is { } feature)
            throw new ModelFormatException($"{model.Path}: the model has {feature}, which the backend '{backend}' does not run; the backend 'cpu' does.");
    }

    private static string? Beyond(ModelShape shape, RangeTensors tensors)
    {
        BlockTensors[] blocks = tensors.Blocks;
        return shape.Experts is not null ? "a mixture of experts"
            : shape.RopeStyle != RopeStyle.Neighbours ? "RoPE on halves of heads"
            : shape.Attention.Count > 0 ? "blocks with attention of their own"
            : shape.AttentionSoftcap != 0 || shape.LogitSoftcap != 0 ? "soft-capping"
            : shape.EmbeddingScale != 1 || shape.ResidualScale != 1 || shape.LogitScale != 1 ? "scaled embeddings, residuals or logits"
            : shape.AttentionScale != 1f / MathF.Sqrt(shape.HeadSize) ? "a scale of attention of its own"
            : shape.Activation != GateActivation.Silu ? "a gate other than SiLU"
            : blocks.Any(b => b.QueryBias is not null || b.KeyBias is not null || b.ValueBias is not null || b.AttentionOutputBias is not null) ? "biases"
            : blocks.Any(b => b.FeedForward is { GateBias: not null } or { UpBias: not null } or { DownBias: not null }) ? "biases"
            : blocks.Any(b => b.QueryNorm is not null || b.KeyNorm is not null) ? "norms of queries and keys"
            : blocks.Any(b => b.PostAttentionNorm is not null || b.PostFeedForwardNorm is not null) ? "norms after attention and feed-forward layer"
            : null;
    }
}
