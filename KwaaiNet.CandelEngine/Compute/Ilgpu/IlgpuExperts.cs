using KwaaiNet.CandelEngine.Compute.Blocks;
using KwaaiNet.CandelEngine.Compute.Ilgpu.Matrices;
using KwaaiNet.CandelEngine.Compute.Ilgpu.Matrices.Projections;
using KwaaiNet.CandelEngine.Tensors;

namespace KwaaiNet.CandelEngine.Compute.Ilgpu;

/// <summary>A mixture of experts on the device: the router and the experts it picks from.</summary>
internal sealed class IlgpuExperts
{
    internal IlgpuExperts(TensorData router, FeedForwardTensors[] experts, IlgpuUpload upload)
    {
        Router = upload.Matrix(router);
        Layers = Array.ConvertAll(experts, expert => new IlgpuFeedForward(expert, upload));
    }

    /// <summary>The router, <c>[Count, Width]</c>.</summary>
    internal Projection Router { get; }

    /// <summary>The experts, by number.</summary>
    internal IlgpuFeedForward[] Layers { get; }

    /// <summary>The forms in which experts take their rows.</summary>
    internal OperandKinds ExpertOperand => Layers.Aggregate(OperandKinds.None, (kinds, layer) => kinds | layer.GateUp.Operand);

    /// <summary>The forms in which experts' down projections take theirs.</summary>
    internal OperandKinds DownOperand => Layers.Aggregate(OperandKinds.None, (kinds, layer) => kinds | layer.Down.Operand);
}
