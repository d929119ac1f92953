using ILGPU;
using ILGPU.Runtime;
using KwaaiNet.CandelEngine.Compute.Ilgpu.Arithmetic;
using KwaaiNet.CandelEngine.Compute.Ilgpu.Devices;
using KwaaiNet.CandelEngine.Compute.Ilgpu.Matrices;
using KwaaiNet.CandelEngine.Compute.Ilgpu.Steps;

namespace KwaaiNet.CandelEngine.Compute.Ilgpu.Attention;

/// <summary><see cref="PortableHeads"/> and <see cref="PortableAttention"/>, loaded.</summary>
internal sealed class PortableAttentionKernels<TKv>(Accelerator accelerator, LaunchCount count) : AttentionKernels
    where TKv : struct, IKvFormat
{
    private readonly Action<Index1D, AttentionShape, StepView, ArrayView<float>, ArrayView<float>, ArrayView<float>, ArrayView<float>, ArrayView<int>> _place =
        accelerator.LoadAutoGroupedStreamKernel<Index1D, AttentionShape, StepView, ArrayView<float>, ArrayView<float>, ArrayView<float>, ArrayView<float>, ArrayView<int>>(PortableHeads.Place<TKv>);

    private readonly Action<Index1D, AttentionShape, StepView, ArrayView<Quad>, ArrayView<Four>, ArrayView<float>, ArrayView<float>, Operand> _attend =
        accelerator.LoadAutoGroupedStreamKernel<Index1D, AttentionShape, StepView, ArrayView<Quad>, ArrayView<Four>, ArrayView<float>, ArrayView<float>, Operand>(PortableAttention.Attend<TKv>);

    internal override void Place(
        AttentionShape shape, int rows, StepView step, ArrayView<float> product, ArrayView<float> queryNorm, ArrayView<float> keyNorm, ArrayView<Four> query, ArrayView<int> pages)
    {
        count.Add();
        _place(rows * (shape.Heads + (2 * shape.KvHeads)), shape, step, product, queryNorm, keyNorm, query.Cast<float>(), pages);
    }

    internal override void Attend(
        AttentionShape shape, int rows, int splits, StepView step, ArrayView<Quad> pages, ArrayView<Four> query, AttentionRoom room, ArrayView<float> attended, Operand operand)
    {
        count.Add();
        _attend(rows * shape.Heads, shape, step, pages, query, room.Partials.Cast<float>(), attended, operand);
    }
}
