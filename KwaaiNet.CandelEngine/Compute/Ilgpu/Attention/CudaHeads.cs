using ILGPU;
using KwaaiNet.CandelEngine.Compute.Ilgpu.Arithmetic;
using KwaaiNet.CandelEngine.Compute.Ilgpu.Norms;
using KwaaiNet.CandelEngine.Compute.Ilgpu.Steps;

namespace KwaaiNet.CandelEngine.Compute.Ilgpu.Attention;

/// <summary><see cref="HeadPlacer"/> on CUDA, a warp a head.</summary>
internal static class CudaHeads
{
    /// <summary>Threads of a group.</summary>
    internal const int GroupThreads = 128;

    private const int WarpThreads = 32;

    /// <param name="shape">The block.</param>
    /// <param name="step">The rows.</param>
    /// <param name="product">Queries, keys and values, <c>[rows, (Heads + 2 · KvHeads) · HeadSize]</c>.</param>
    /// <param name="queryNorm">The norm of query heads, <c>[HeadSize]</c>, if the block has one.</param>
    /// <param name="keyNorm">The norm of key heads, if the block has one.</param>
    /// <param name="query">Turned queries, <c>[rows, Heads, KeptSize]</c>.</param>
    /// <param name="pages">Every page, by 32-bit words.</param>
    internal static void Place<TKv>(
        AttentionShape shape, StepView step, ArrayView<float> product, ArrayView<float> queryNorm, ArrayView<float> keyNorm, ArrayView<float> query, ArrayView<int> pages)
        where TKv : struct, IKvFormat
    {
        int heads = shape.Heads + (2 * shape.KvHeads);
        int row = Grid.IdxY;
        int index = (Grid.IdxX * (Group.DimX / WarpThreads)) + (Group.IdxX / WarpThreads);
        if (index >= heads || step.Position(row) < 0) return;

        int lane = Group.IdxX % WarpThreads;
        ArrayView<float> head = product.SubView(((row * heads) + index) * shape.HeadSize, shape.HeadSize);
        bool isQuery = index < shape.Heads;
        bool isValue = index >= shape.Heads + shape.KvHeads;
        ArrayView<float> weights = isQuery ? queryNorm : keyNorm;
        float scale = 1;
        bool normed = !isValue && shape.Norms != 0;
        if (normed)
        {
            float sum = HeadPlacer.Chain(head, shape.HeadSize, lane);
            for (int mask = WarpThreads / 2; mask > 0; mask >>= 1) sum = Rounded.Add(sum, Warp.ShuffleXor(sum, mask));
            scale = SquareSum.Scale(sum, shape.HeadSize, shape.Epsilon);
        }

        for (int e = 2 * lane; e < shape.KeptSize; e += 2 * WarpThreads)
        {
            float a = HeadPlacer.Number(shape, step, row, head, weights, scale, normed, !isValue, e);
            float b = HeadPlacer.Number(shape, step, row, head, weights, scale, normed, !isValue, e + 1);
            if (isQuery)
            {
                int at = (((row * shape.Heads) + index) * shape.KeptSize) + e;
                query[at] = a;
                query[at + 1] = b;
            }
            else
            {
                HeadPlacer.Keep<TKv>(shape, step, row, isValue ? index - shape.Heads - shape.KvHeads : index - shape.Heads, isValue, pages, e, a, b);
            }
        }
    }
}
