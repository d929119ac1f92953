using ILGPU;
using KwaaiNet.CandelEngine.Compute.Blocks;
using KwaaiNet.CandelEngine.Compute.Ilgpu.Matrices.Projections;

namespace KwaaiNet.CandelEngine.Compute.Ilgpu;

/// <summary>A gated feed-forward layer on the device, <c>Down · (f(Gate · x) ∘ (Up · x))</c>: a block's own, or one expert.</summary>
internal sealed class IlgpuFeedForward
{
    internal IlgpuFeedForward(FeedForwardTensors tensors, IlgpuUpload upload)
    {
        GateUp = upload.Gated(tensors.Gate, tensors.Up);
        Down = upload.Matrix(tensors.Down);
        GateUpBias = upload.Vectors([tensors.GateBias, tensors.UpBias], [tensors.Gate.Rows, tensors.Up.Rows]);
        DownBias = upload.VectorIfAny(tensors.DownBias);
    }

    /// <summary>Gate and up projections, and the function between them.</summary>
    internal GatedProjection GateUp { get; }

    /// <summary>The projection back to the model's width.</summary>
    internal Projection Down { get; }

    /// <summary>Added to the products of gate and up; null for none.</summary>
    internal ArrayView<float>? GateUpBias { get; }

    /// <summary>Added to the down projection; null for none.</summary>
    internal ArrayView<float>? DownBias { get; }
}
