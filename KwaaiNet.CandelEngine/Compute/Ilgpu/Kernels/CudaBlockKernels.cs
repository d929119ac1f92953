using ILGPU;
using ILGPU.Runtime;
using KwaaiNet.CandelEngine.Compute.Ilgpu.Attention;
using KwaaiNet.CandelEngine.Compute.Ilgpu.Devices;
using KwaaiNet.CandelEngine.Compute.Ilgpu.Matrices;
using KwaaiNet.CandelEngine.Compute.Ilgpu.Norms;
using KwaaiNet.CandelEngine.Compute.Ilgpu.Steps;
using KwaaiNet.CandelEngine.Models;

namespace KwaaiNet.CandelEngine.Compute.Ilgpu.Kernels;

/// <summary>A block's kernels for CUDA.</summary>
internal sealed class CudaBlockKernels(Accelerator accelerator, LaunchCount count) : BlockKernels(accelerator, count)
{
    private readonly LaunchCount _count = count;

    private readonly Action<KernelConfig, NormShape, StepView, ArrayView<float>, ArrayView<int>, ArrayView<float>, Operand> _norm =
        accelerator.LoadStreamKernel<NormShape, StepView, ArrayView<float>, ArrayView<int>, ArrayView<float>, Operand>(CudaNorms.Norm);

    private readonly Action<KernelConfig, NormShape, ArrayView<float>, ArrayView<float>, float, ArrayView<float>> _addNormed =
        accelerator.LoadStreamKernel<NormShape, ArrayView<float>, ArrayView<float>, float, ArrayView<float>>(CudaNorms.AddNormed);

    internal override long AttentionFours(ModelShape shape, int rows) =>
        KvLayout.KeptSize(shape.HeadSize) > CudaAttention.LargestHead
            ? PortableAttention.RoomFours(shape, rows)
            : CudaAttention.RoomFours(shape, Math.Min(rows, AttentionKernels.MostRowsApart));

    internal override long NormLength(ModelShape shape, int rows) => 0;

    internal override void Norm(
        NormShape shape, int rows, StepView step, ArrayView<float> residual, ArrayView<int> list, ArrayView<float> weights, ArrayView<float> scratch, Operand y)
    {
        _count.Add();
        _norm(new KernelConfig(rows, CudaNorms.GroupThreads), shape, step, residual, list, weights, y);
    }

    internal override void AddNormed(NormShape shape, int rows, ArrayView<float> x, ArrayView<float> weights, float factor, ArrayView<float> residual)
    {
        _count.Add();
        _addNormed(new KernelConfig(rows, CudaNorms.GroupThreads), shape, x, weights, factor, residual);
    }

    private protected override AttentionKernels LoadAttention<TKv>(Accelerator accelerator, LaunchCount count, int keptSize) => keptSize switch
    {
        64 => new CudaAttentionKernels<Head64, TKv>(accelerator, count),
        80 => new CudaAttentionKernels<Head80, TKv>(accelerator, count),
        96 => new CudaAttentionKernels<Head96, TKv>(accelerator, count),
        128 => new CudaAttentionKernels<Head128, TKv>(accelerator, count),
        256 => new CudaAttentionKernels<Head256, TKv>(accelerator, count),
        < CudaAttention.LargestHead => new CudaAttentionKernels<AnyHead, TKv>(accelerator, count),
        _ => new PortableAttentionKernels<TKv>(accelerator, count),
    };
}
