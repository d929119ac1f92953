using ILGPU;
using KwaaiNet.CandelEngine.Compute.Ilgpu.Arithmetic;
using KwaaiNet.CandelEngine.Compute.Ilgpu.Matrices;
using KwaaiNet.CandelEngine.Compute.Ilgpu.Norms;
using KwaaiNet.CandelEngine.Compute.Ilgpu.Steps;
using KwaaiNet.CandelEngine.Models;

namespace KwaaiNet.CandelEngine.Compute.Ilgpu.Attention;

/// <summary>Attention over paged keys and values on devices without warps: a thread has a row and a query head. The order is <see cref="AttentionOrder"/>'s.</summary>
internal static class PortableAttention
{
    private const int Page = AttentionOrder.PagePositions;

    /// <summary>Fours of scratch memory. A thread needs a page's weights, and the sums of a unit, a split and the row.</summary>
    internal static long RoomFours(ModelShape shape, int rows) =>
        (long)rows * shape.HeadCount * (Page + (3 * KvLayout.KeptSize(shape.HeadSize))) / 4;

    /// <param name="i">Row and head.</param>
    /// <param name="shape">The block.</param>
    /// <param name="step">The rows.</param>
    /// <param name="pages">Every page.</param>
    /// <param name="query">Turned queries, <c>[rows, Heads, KeptSize / 4]</c>.</param>
    /// <param name="scratch">Room for every thread.</param>
    /// <param name="attended">The result in plain rows, <c>[rows, Heads · HeadSize]</c>, if the shape says so.</param>
    /// <param name="operand">The result as the output product takes it, else.</param>
    internal static void Attend<TKv>(
        Index1D i,
        AttentionShape shape,
        StepView step,
        ArrayView<Quad> pages,
        ArrayView<Four> query,
        ArrayView<float> scratch,
        ArrayView<float> attended,
        Operand operand)
        where TKv : struct, IKvFormat
    {
        int row = i / shape.Heads;
        int head = i - (row * shape.Heads);
        int position = step.Position(row);
        if (position < 0) return;

        int size = shape.KeptSize;
        int length = Page + (3 * size);
        ArrayView<float> weights = scratch.SubView(i * length, Page);
        ArrayView<float> unitSums = scratch.SubView((i * length) + Page, size);
        ArrayView<float> splitSums = scratch.SubView((i * length) + Page + size, size);
        ArrayView<float> rowSums = scratch.SubView((i * length) + Page + (2 * size), size);
        AttentionOrder order = new(position, shape.Window);
        float most = float.NegativeInfinity;
        float sum = 0;
        for (int e = 0; e < size; e++) rowSums[e] = 0;

        for (int split = 0; split < order.Splits; split++)
        {
            float splitMost = float.NegativeInfinity;
            float splitSum = 0;
            for (int e = 0; e < size; e++) splitSums[e] = 0;
            for (int unit = 0; unit < order.UnitsOf(split); unit++)
            {
                Four result = RunUnit<TKv>(shape, step, pages, query, weights, unitSums, row, head, position, order, split, unit);
                float newMost = Softmax.Max(splitMost, result.X);
                splitSum = Fold(splitSums, splitSum, splitMost, unitSums, result.Y, result.X, newMost, size);
                splitMost = newMost;
            }

            float rowMost = Softmax.Max(most, splitMost);
            sum = Fold(rowSums, sum, most, splitSums, splitSum, splitMost, rowMost, size);
            most = rowMost;
        }

        float inverse = 1f / sum;
        for (int e = 0; e < size; e++) rowSums[e] = Rounded.Multiply(rowSums[e], inverse);
        if (shape.Plain != 0)
        {
            for (int e = 0; e < shape.HeadSize; e++) attended[(i * shape.HeadSize) + e] = rowSums[e];
            return;
        }

        for (int block = 0; block < size / Page; block++)
            operand.WriteBlock(row, (head * size / Page) + block, rowSums, block * Page);
    }

    // Folds others into sums; returns the folded sum of weights.
    private static float Fold(
        ArrayView<float> sums, float sum, float most, ArrayView<float> others, float otherSum, float otherMost, float newMost, int size)
    {
        float kept = Softmax.Weight(most, newMost);
        float added = Softmax.Weight(otherMost, newMost);
        for (int e = 0; e < size; e++) sums[e] = Softmax.Fold(sums[e], kept, others[e], added);
        return Softmax.Fold(sum, kept, otherSum, added);
    }

    // The unit's maximum in X, its sum of weights in Y, its weighted values in sums.
    private static Four RunUnit<TKv>(
        AttentionShape shape,
        StepView step,
        ArrayView<Quad> pages,
        ArrayView<Four> query,
        ArrayView<float> weights,
        ArrayView<float> sums,
        int row,
        int head,
        int position,
        AttentionOrder order,
        int split,
        int unit)
        where TKv : struct, IKvFormat
    {
        int fours = shape.KeptSize / 4;
        int wordsOfPart = fours * Page / TKv.Fours;
        int kvHead = head / shape.HeadsTogether;
        ArrayView<Four> q = query.SubView(((row * shape.Heads) + head) * fours, fours);
        float most = float.NegativeInfinity;
        float sum = 0;
        for (int e = 0; e < shape.KeptSize; e++) sums[e] = 0;

        int firstPage = order.FirstPage + (((split * AttentionOrder.Units) + unit) * order.PagesInUnit);
        int endPage = order.FirstPage + order.Pages;
        if (endPage > firstPage + order.PagesInUnit) endPage = firstPage + order.PagesInUnit;
        for (int page = firstPage; page < endPage; page++)
        {
            long start = ((long)step.Page(row, shape.Block, page) * shape.KvHeads) + kvHead;
            ArrayView<Quad> keys = pages.SubView(start * (2 * wordsOfPart), wordsOfPart);
            ArrayView<Quad> values = pages.SubView((start * (2 * wordsOfPart)) + wordsOfPart, wordsOfPart);
            int firstSeen = order.First - (page * Page);
            if (firstSeen < 0) firstSeen = 0;
            int endSeen = position + 1 - (page * Page);
            if (endSeen > Page) endSeen = Page;
            float newMost = most;
            for (int lane = firstSeen; lane < endSeen; lane++)
            {
                float score = Softmax.Score(Product<TKv>(keys, q, fours, lane), shape);
                weights[lane] = score;
                newMost = Softmax.Max(newMost, score);
            }

            float kept = Softmax.Weight(most, newMost);
            TreeSum tree = default;
            float added = 0;
            for (int n = 0; n < Page; n++)
            {
                int lane = TreeSum.Lane(n);
                float weight = 0;
                if (lane >= firstSeen && lane < endSeen)
                {
                    weight = Softmax.Weight(weights[lane], newMost);
                    weights[lane] = weight;
                }

                added = tree.Add(n, weight);
            }

            sum = Rounded.Fma(sum, kept, added);
            Gather<TKv>(values, weights, sums, kept, fours, firstSeen, endSeen);
            most = newMost;
        }

        Four result = Four.Of(0);
        result.X = most;
        result.Y = sum;
        return result;
    }

    private static float Product<TKv>(ArrayView<Quad> keys, ArrayView<Four> q, int fours, int lane)
        where TKv : struct, IKvFormat
    {
        float product = 0;
        for (int word = 0; word < fours / TKv.Fours; word++)
        {
            Quad numbers = keys[(word * Page) + lane];
            product = HeadSums.Dot(q[word * TKv.Fours], TKv.First(numbers), product);
            if (TKv.Fours > 1) product = HeadSums.Dot(q[(word * TKv.Fours) + 1], TKv.Last(numbers), product);
        }

        return product;
    }

    private static void Gather<TKv>(ArrayView<Quad> values, ArrayView<float> weights, ArrayView<float> sums, float kept, int fours, int firstSeen, int endSeen)
        where TKv : struct, IKvFormat
    {
        for (int four = 0; four < fours; four++)
        {
            Four sum;
            sum.X = Rounded.Multiply(sums[4 * four], kept);
            sum.Y = Rounded.Multiply(sums[(4 * four) + 1], kept);
            sum.Z = Rounded.Multiply(sums[(4 * four) + 2], kept);
            sum.W = Rounded.Multiply(sums[(4 * four) + 3], kept);
            for (int position = firstSeen; position < endSeen; position++)
            {
                Quad word = values[(position / TKv.Fours * fours) + four];
                Four numbers = position % TKv.Fours == 0 ? TKv.First(word) : TKv.Last(word);
                sum = HeadSums.Fma(weights[position], numbers, sum);
            }

            sums[4 * four] = sum.X;
            sums[(4 * four) + 1] = sum.Y;
            sums[(4 * four) + 2] = sum.Z;
            sums[(4 * four) + 3] = sum.W;
        }
    }
}
