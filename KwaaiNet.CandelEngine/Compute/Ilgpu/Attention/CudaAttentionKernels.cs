using ILGPU;
using ILGPU.Runtime;
using KwaaiNet.CandelEngine.Compute.Ilgpu.Arithmetic;
using KwaaiNet.CandelEngine.Compute.Ilgpu.Devices;
using KwaaiNet.CandelEngine.Compute.Ilgpu.Matrices;
using KwaaiNet.CandelEngine.Compute.Ilgpu.Steps;

namespace KwaaiNet.CandelEngine.Compute.Ilgpu.Attention;

/// <summary><see cref="CudaHeads"/> and <see cref="CudaAttention"/>, loaded.</summary>
internal sealed class CudaAttentionKernels<THead, TKv>(Accelerator accelerator, LaunchCount count) : AttentionKernels
    where THead : struct, IHeadSize
    where TKv : struct, IKvFormat
{
    private readonly Action<KernelConfig, AttentionShape, StepView, ArrayView<float>, ArrayView<float>, ArrayView<float>, ArrayView<float>, ArrayView<int>> _place =
        accelerator.LoadStreamKernel<AttentionShape, StepView, ArrayView<float>, ArrayView<float>, ArrayView<float>, ArrayView<float>, ArrayView<int>>(CudaHeads.Place<TKv>);

    private readonly Action<KernelConfig, AttentionShape, StepView, ArrayView<Quad>, ArrayView<Four>, ArrayView<Four>, ArrayView<int>, ArrayView<float>, Operand> _attend =
        accelerator.LoadStreamKernel<AttentionShape, StepView, ArrayView<Quad>, ArrayView<Four>, ArrayView<Four>, ArrayView<int>, ArrayView<float>, Operand>(CudaAttention.Attend<THead, TKv>);

    internal override void Place(
        AttentionShape shape, int rows, StepView step, ArrayView<float> product, ArrayView<float> queryNorm, ArrayView<float> keyNorm, ArrayView<Four> query, ArrayView<int> pages)
    {
        const int WarpsOfGroup = CudaHeads.GroupThreads / 32;
        int heads = shape.Heads + (2 * shape.KvHeads);
        KernelConfig config = new(new Index3D((heads + WarpsOfGroup - 1) / WarpsOfGroup, rows, 1), new Index3D(CudaHeads.GroupThreads, 1, 1));
        count.Add();
        _place(config, shape, step, product, queryNorm, keyNorm, query.Cast<float>(), pages);
    }

    internal override void Attend(
        AttentionShape shape, int rows, int splits, StepView step, ArrayView<Quad> pages, ArrayView<Four> query, AttentionRoom room, ArrayView<float> attended, Operand operand)
    {
        KernelConfig config = new(
            new Index3D(shape.KvHeads * shape.Tiles, rows, rows <= MostRowsApart ? splits : 1),
            new Index3D(CudaAttention.GroupThreads, 1, 1),
            SharedMemoryConfig.RequestDynamic<Four>(CudaAttention.SharedFours(shape.KeptSize, CudaAttention.GroupThreads)));
        count.Add();
        _attend(config, shape, step, pages, query, room.Partials, room.Arrivals, attended, operand);
    }
}
