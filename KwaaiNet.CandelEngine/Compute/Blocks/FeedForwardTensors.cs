using KwaaiNet.CandelEngine.Tensors;

namespace KwaaiNet.CandelEngine.Compute.Blocks;

/// <summary>A gated feed-forward layer, <c>Down · (f(Gate · x) ∘ (Up · x))</c>: a block's own, or one expert.</summary>
/// <param name="Gate">Gate, <c>[width, Width]</c>.</param>
/// <param name="Up">Up projection, <c>[width, Width]</c>.</param>
/// <param name="Down">Down projection, <c>[Width, width]</c>.</param>
internal sealed record FeedForwardTensors(TensorData Gate, TensorData Up, TensorData Down)
{
    /// <summary>Added to the gate's product, <c>[width]</c>.</summary>
    public TensorData? GateBias { get; init; }

    /// <summary>Added to the up projection's product, <c>[width]</c>.</summary>
    public TensorData? UpBias { get; init; }

    /// <summary>Added to the down projection's product, <c>[Width]</c>.</summary>
    public TensorData? DownBias { get; init; }

    /// <summary>Every tensor, in the order of use.</summary>
    public IEnumerable<TensorData?> All => [Gate, Up, Down, GateBias, UpBias, DownBias];
}
