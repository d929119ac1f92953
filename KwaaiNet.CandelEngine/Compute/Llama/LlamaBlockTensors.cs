using KwaaiNet.CandelEngine.Models;

namespace KwaaiNet.CandelEngine.Compute.Llama;

/// <summary>The tensors of one llama block, checked against the model's shape.</summary>
internal sealed record LlamaBlockTensors
{
    /// <summary>RMSNorm before attention, <c>[Width]</c>.</summary>
    public required TensorData AttentionNorm { get; init; }

    /// <summary>Query projection, <c>[HeadCount · HeadSize, Width]</c>.</summary>
    public required TensorData Query { get; init; }

    /// <summary>Key projection, <c>[KvWidth, Width]</c>.</summary>
    public required TensorData Key { get; init; }

    /// <summary>Value projection, <c>[KvWidth, Width]</c>.</summary>
    public required TensorData Value { get; init; }

    /// <summary>Output projection, <c>[Width, HeadCount · HeadSize]</c>.</summary>
    public required TensorData AttentionOutput { get; init; }

    /// <summary>RMSNorm before the feed-forward layer, <c>[Width]</c>.</summary>
    public required TensorData FeedForwardNorm { get; init; }

    /// <summary>Gate, <c>[FeedForwardWidth, Width]</c>.</summary>
    public required TensorData Gate { get; init; }

    /// <summary>Up projection, <c>[FeedForwardWidth, Width]</c>.</summary>
    public required TensorData Up { get; init; }

    /// <summary>Down projection, <c>[Width, FeedForwardWidth]</c>.</summary>
    public required TensorData Down { get; init; }
}
