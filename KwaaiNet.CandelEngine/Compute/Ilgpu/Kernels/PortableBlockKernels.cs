using ILGPU;
using ILGPU.Runtime;
using KwaaiNet.CandelEngine.Compute.Ilgpu.Attention;
using KwaaiNet.CandelEngine.Compute.Ilgpu.Devices;
using KwaaiNet.CandelEngine.Compute.Ilgpu.Matrices;
using KwaaiNet.CandelEngine.Compute.Ilgpu.Norms;
using KwaaiNet.CandelEngine.Compute.Ilgpu.Steps;
using KwaaiNet.CandelEngine.Models;

namespace KwaaiNet.CandelEngine.Compute.Ilgpu.Kernels;

/// <summary>A block's kernels without warps, groups and barriers: for OpenCL, and for the CPU accelerator, where a barrier costs a hundred times its worth.</summary>
internal sealed class PortableBlockKernels(Accelerator accelerator, LaunchCount count) : BlockKernels(accelerator, count)
{
    private readonly LaunchCount _count = count;

    private readonly Action<Index1D, NormShape, StepView, ArrayView<float>, ArrayView<int>, ArrayView<float>, ArrayView<float>, Operand> _norm =
        accelerator.LoadAutoGroupedStreamKernel<Index1D, NormShape, StepView, ArrayView<float>, ArrayView<int>, ArrayView<float>, ArrayView<float>, Operand>(PortableNorms.Norm);

    private readonly Action<Index1D, NormShape, ArrayView<float>, ArrayView<float>, float, ArrayView<float>> _addNormed =
        accelerator.LoadAutoGroupedStreamKernel<Index1D, NormShape, ArrayView<float>, ArrayView<float>, float, ArrayView<float>>(PortableNorms.AddNormed);

    internal override long AttentionFours(ModelShape shape, int rows) => PortableAttention.RoomFours(shape, rows);

    internal override long NormLength(ModelShape shape, int rows) => (long)rows * shape.Width;

    internal override void Norm(
        NormShape shape, int rows, StepView step, ArrayView<float> residual, ArrayView<int> list, ArrayView<float> weights, ArrayView<float> scratch, Operand y)
    {
        _count.Add();
        _norm(rows, shape, step, residual, list, weights, scratch, y);
    }

    internal override void AddNormed(NormShape shape, int rows, ArrayView<float> x, ArrayView<float> weights, float factor, ArrayView<float> residual)
    {
        _count.Add();
        _addNormed(rows, shape, x, weights, factor, residual);
    }

    private protected override AttentionKernels LoadAttention<TKv>(Accelerator accelerator, LaunchCount count, int keptSize) =>
        new PortableAttentionKernels<TKv>(accelerator, count);
}
