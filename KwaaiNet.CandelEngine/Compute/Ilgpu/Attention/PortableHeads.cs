using ILGPU;
using KwaaiNet.CandelEngine.Compute.Ilgpu.Norms;
using KwaaiNet.CandelEngine.Compute.Ilgpu.Steps;

namespace KwaaiNet.CandelEngine.Compute.Ilgpu.Attention;

/// <summary><see cref="HeadPlacer"/> on devices without warps, a thread a head.</summary>
internal static class PortableHeads
{
    private const int Lanes = AttentionOrder.PagePositions;

    /// <summary>As <see cref="CudaHeads.Place"/>.</summary>
    internal static void Place<TKv>(
        Index1D i,
        AttentionShape shape,
        StepView step,
        ArrayView<float> product,
        ArrayView<float> queryNorm,
        ArrayView<float> keyNorm,
        ArrayView<float> query,
        ArrayView<int> pages)
        where TKv : struct, IKvFormat
    {
        int heads = shape.Heads + (2 * shape.KvHeads);
        int row = i / heads;
        int index = i - (row * heads);
        if (step.Position(row) < 0) return;

        ArrayView<float> head = product.SubView(i * shape.HeadSize, shape.HeadSize);
        bool isQuery = index < shape.Heads;
        bool isValue = index >= shape.Heads + shape.KvHeads;
        ArrayView<float> weights = isQuery ? queryNorm : keyNorm;
        bool normed = !isValue && shape.Norms != 0;
        float scale = 1;
        if (normed)
        {
            TreeSum tree = default;
            float sum = 0;
            for (int n = 0; n < Lanes; n++) sum = tree.Add(n, HeadPlacer.Chain(head, shape.HeadSize, TreeSum.Lane(n)));
            scale = SquareSum.Scale(sum, shape.HeadSize, shape.Epsilon);
        }

        for (int e = 0; e < shape.KeptSize; e += 2)
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
