using ILGPU;
using KwaaiNet.CandelEngine.Compute.Blocks;
using KwaaiNet.CandelEngine.Models;

namespace KwaaiNet.CandelEngine.Compute.Ilgpu;

/// <summary>A gated feed-forward layer on the device, <c>Down · (f(Gate · x) ∘ (Up · x))</c>: a block's own, or one expert.</summary>
internal sealed class IlgpuFeedForward
{
    private readonly int _width;
    private readonly int _outputs;
    private readonly DeviceMatrix _gate;
    private readonly DeviceMatrix _up;
    private readonly DeviceMatrix _down;
    private readonly ArrayView<float>? _gateBias;
    private readonly ArrayView<float>? _upBias;
    private readonly ArrayView<float>? _downBias;

    internal IlgpuFeedForward(FeedForwardTensors tensors, Func<TensorData, DeviceMatrix> matrix, Func<TensorData?, ArrayView<float>?> vector)
    {
        _width = tensors.Gate.Rows;
        _outputs = tensors.Down.Rows;
        _gate = matrix(tensors.Gate);
        _up = matrix(tensors.Up);
        _down = matrix(tensors.Down);
        _gateBias = vector(tensors.GateBias);
        _upBias = vector(tensors.UpBias);
        _downBias = vector(tensors.DownBias);
    }

    /// <summary>Runs the layer on rows.</summary>
    /// <param name="kernels">The kernels.</param>
    /// <param name="activation">The function on the gate.</param>
    /// <param name="x">The rows, <c>[rows, Width]</c>.</param>
    /// <param name="rows">How many.</param>
    /// <param name="scratch">Where gate and up projections go.</param>
    /// <param name="y">The result, <c>[rows, Width]</c>.</param>
    internal void Run(KernelSet kernels, GateActivation activation, ArrayView<float> x, int rows, IlgpuScratch scratch, ArrayView<float> y)
    {
        _gate.Multiply(x, rows, scratch.Gate);
        kernels.AddBiasIfAny(rows, scratch.Gate, _gateBias, _width);
        _up.Multiply(x, rows, scratch.Up);
        kernels.AddBiasIfAny(rows, scratch.Up, _upBias, _width);
        if (activation == GateActivation.GeluTanh) kernels.GeluMultiply(rows * _width, scratch.Gate, scratch.Up);
        else kernels.SiluMultiply(rows * _width, scratch.Gate, scratch.Up);
        _down.Multiply(scratch.Gate, rows, y);
        kernels.AddBiasIfAny(rows, y, _downBias, _outputs);
    }
}
