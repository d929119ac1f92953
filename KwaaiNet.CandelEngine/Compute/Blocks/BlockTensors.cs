using KwaaiNet.CandelEngine.Tensors;

namespace KwaaiNet.CandelEngine.Compute.Blocks;

/// <summary>The tensors of one block, checked against the model's shape. What an architecture does not have is null.</summary>
/// <remarks>
/// The computation, with x the residual, and every step that has no tensor (or whose scale is 1) left out:
/// <code>
/// n = RMSNorm(x) · AttentionNorm
/// q, k, v = Query·n + QueryBias, Key·n + KeyBias, Value·n + ValueBias
/// q, k = RMSNorm of each head · QueryNorm, KeyNorm;  RoPE on q and k, if the block has it
/// a = AttentionOutput · attention(q, k, v) + AttentionOutputBias
/// x += ResidualScale · (RMSNorm(a) · PostAttentionNorm)
/// n = RMSNorm(x) · FeedForwardNorm
/// f = FeedForward(n), or the weighted sum of the experts the router picks for n
/// x += ResidualScale · (RMSNorm(f) · PostFeedForwardNorm)
/// </code>
/// Parts of fused matrices, and single experts of stacked ones, are rows of the file's tensor where it is mapped: nothing is copied.
/// </remarks>
internal sealed record BlockTensors
{
    /// <summary>RMSNorm before attention, <c>[Width]</c>.</summary>
    public required TensorData AttentionNorm { get; init; }

    /// <summary>Query projection, <c>[QueryWidth, Width]</c>.</summary>
    public required TensorData Query { get; init; }

    /// <summary>Key projection, <c>[KvWidth, Width]</c>.</summary>
    public required TensorData Key { get; init; }

    /// <summary>Value projection, <c>[KvWidth, Width]</c>.</summary>
    public required TensorData Value { get; init; }

    /// <summary>Added to queries, <c>[QueryWidth]</c>.</summary>
    public TensorData? QueryBias { get; init; }

    /// <summary>Added to keys, <c>[KvWidth]</c>.</summary>
    public TensorData? KeyBias { get; init; }

    /// <summary>Added to values, <c>[KvWidth]</c>.</summary>
    public TensorData? ValueBias { get; init; }

    /// <summary>RMSNorm of each query head, <c>[HeadSize]</c>.</summary>
    public TensorData? QueryNorm { get; init; }

    /// <summary>RMSNorm of each key head, <c>[HeadSize]</c>.</summary>
    public TensorData? KeyNorm { get; init; }

    /// <summary>Output projection, <c>[Width, QueryWidth]</c>.</summary>
    public required TensorData AttentionOutput { get; init; }

    /// <summary>Added to attention's output, <c>[Width]</c>.</summary>
    public TensorData? AttentionOutputBias { get; init; }

    /// <summary>RMSNorm of attention's output, <c>[Width]</c>.</summary>
    public TensorData? PostAttentionNorm { get; init; }

    /// <summary>RMSNorm before the feed-forward layer, <c>[Width]</c>.</summary>
    public required TensorData FeedForwardNorm { get; init; }

    /// <summary>The feed-forward layer; null in a block of experts.</summary>
    public FeedForwardTensors? FeedForward { get; init; }

    /// <summary>The router, <c>[Experts.Count, Width]</c>; null without experts.</summary>
    public TensorData? Router { get; init; }

    /// <summary>The experts, by number; empty without.</summary>
    public FeedForwardTensors[] Experts { get; init; } = [];

    /// <summary>RMSNorm of the feed-forward layer's output, <c>[Width]</c>.</summary>
    public TensorData? PostFeedForwardNorm { get; init; }

    /// <summary>Every tensor, in the order of use.</summary>
    public IEnumerable<TensorData> All
    {
        get
        {
            TensorData?[] attention =
            [
                AttentionNorm, Query, Key, Value, QueryBias, KeyBias, ValueBias, QueryNorm, KeyNorm,
                AttentionOutput, AttentionOutputBias, PostAttentionNorm, FeedForwardNorm, Router,
            ];
            IEnumerable<TensorData?> layers = Experts.Append(FeedForward).SelectMany(layer => layer is null ? [] : layer.All);
            foreach (TensorData? tensor in attention.Concat(layers).Append(PostFeedForwardNorm))
            {
                if (tensor is { } there) yield return there;
            }
        }
    }
}
