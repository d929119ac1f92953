using ILGPU;
using KwaaiNet.CandelEngine.Compute.Blocks;
using KwaaiNet.CandelEngine.Compute.Ilgpu.Matrices;
using KwaaiNet.CandelEngine.Compute.Ilgpu.Matrices.Projections;

namespace KwaaiNet.CandelEngine.Compute.Ilgpu;

/// <summary>One block's weights on the device; what its architecture does not have is null. See <see cref="BlockTensors"/> for the computation.</summary>
internal sealed class IlgpuBlock
{
    internal IlgpuBlock(BlockTensors tensors, IlgpuUpload upload)
    {
        AttentionNorm = upload.Vector(tensors.AttentionNorm);
        QueryKeyValue = upload.Matrix(tensors.Query, tensors.Key, tensors.Value);
        QueryKeyValueBias = upload.Vectors(
            [tensors.QueryBias, tensors.KeyBias, tensors.ValueBias], [tensors.Query.Rows, tensors.Key.Rows, tensors.Value.Rows]);
        QueryNorm = upload.VectorIfAny(tensors.QueryNorm);
        KeyNorm = upload.VectorIfAny(tensors.KeyNorm);
        AttentionOutput = upload.Matrix(tensors.AttentionOutput);
        AttentionOutputBias = upload.VectorIfAny(tensors.AttentionOutputBias);
        PostAttentionNorm = upload.VectorIfAny(tensors.PostAttentionNorm);
        FeedForwardNorm = upload.Vector(tensors.FeedForwardNorm);
        if (tensors.FeedForward is { } layer) FeedForward = new IlgpuFeedForward(layer, upload);
        else Experts = new IlgpuExperts(tensors.Router!.Value, tensors.Experts, upload);
        PostFeedForwardNorm = upload.VectorIfAny(tensors.PostFeedForwardNorm);
    }

    internal ArrayView<float> AttentionNorm { get; }

    internal Projection QueryKeyValue { get; }

    internal ArrayView<float>? QueryKeyValueBias { get; }

    internal ArrayView<float>? QueryNorm { get; }

    internal ArrayView<float>? KeyNorm { get; }

    internal Projection AttentionOutput { get; }

    internal ArrayView<float>? AttentionOutputBias { get; }

    internal ArrayView<float>? PostAttentionNorm { get; }

    internal ArrayView<float> FeedForwardNorm { get; }

    /// <summary>The feed-forward layer; null in a block of experts.</summary>
    internal IlgpuFeedForward? FeedForward { get; }

    /// <summary>The experts; null in a block with one feed-forward layer.</summary>
    internal IlgpuExperts? Experts { get; }

    internal ArrayView<float>? PostFeedForwardNorm { get; }

    /// <summary>The forms in which the products after the two norms take their rows. A mixture gathers rows as float32 besides.</summary>
    internal OperandKinds NormedOperand =>
        QueryKeyValue.Operand | (FeedForward is { } layer ? layer.GateUp.Operand : Experts!.Router.Operand | OperandKinds.Singles);

    /// <summary>The forms in which the down projection, or those of the experts, take their rows.</summary>
    internal OperandKinds GatedOperand => FeedForward is { } layer ? layer.Down.Operand : Experts!.DownOperand;
}
