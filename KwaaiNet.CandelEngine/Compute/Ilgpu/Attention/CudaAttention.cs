using ILGPU;
using KwaaiNet.CandelEngine.Compute.Ilgpu.Arithmetic;
using KwaaiNet.CandelEngine.Compute.Ilgpu.Matrices;
using KwaaiNet.CandelEngine.Compute.Ilgpu.Steps;
using KwaaiNet.CandelEngine.Models;

namespace KwaaiNet.CandelEngine.Compute.Ilgpu.Attention;

/// <summary>Attention over paged keys and values on CUDA, in one launch.</summary>
/// <remarks>
/// A group of warps has four query heads of a row that share a key/value head. In a grid of several splits each group has one, and the
/// last one to finish adds them up; in a grid of one, the group goes through the row's splits itself. The bits are the same: see
/// <see cref="AttentionOrder"/>. In a warp a lane has a position of the page for the scores, and four numbers of the head for the sums.
/// </remarks>
internal static class CudaAttention
{
    /// <summary>Threads of a group: a warp to a unit.</summary>
    internal const int GroupThreads = AttentionOrder.Units * WarpThreads;

    /// <summary>The largest head that fits in shared memory and in two fours a lane.</summary>
    internal const int LargestHead = 256;

    private const int WarpThreads = 32;

    private const int Heads = AttentionOrder.TileHeads;

    // Numbers of a head that the lanes of a warp hold with four each.
    private const int WarpNumbers = 4 * WarpThreads;

    /// <summary>Fours of shared memory: queries, the row's sums, weights of each warp's page, and the units' maxima, sums and weighted values.</summary>
    internal static int SharedFours(int keptSize, int threads) =>
        (2 * keptSize) + threads + (AttentionOrder.Units * (2 + keptSize));

    /// <summary>Fours of <c>partials</c>: for each row, tile and split, maxima, sums, and weighted values of four heads.</summary>
    internal static long RoomFours(ModelShape shape, int rows) =>
        (long)rows * Counters(shape) * AttentionOrder.SplitsOf(shape.ContextLength) * (2 + KvLayout.KeptSize(shape.HeadSize));

    /// <summary>Tiles of a row: numbers of <c>arrivals</c> for each.</summary>
    internal static int Counters(ModelShape shape) =>
        shape.KvHeadCount * (((shape.HeadCount / shape.KvHeadCount) + Heads - 1) / Heads);

    /// <param name="shape">The block.</param>
    /// <param name="step">The rows.</param>
    /// <param name="pages">Every page.</param>
    /// <param name="query">Turned queries, <c>[rows, Heads, KeptSize / 4]</c>.</param>
    /// <param name="partials">Room for every split of every row and tile.</param>
    /// <param name="arrivals">Zero for every row and tile, and zero again at the end.</param>
    /// <param name="attended">The result in plain rows, <c>[rows, Heads · HeadSize]</c>, if the shape says so.</param>
    /// <param name="operand">The result as the output product takes it, else.</param>
    internal static void Attend<THead, TKv>(
        AttentionShape shape,
        StepView step,
        ArrayView<Quad> pages,
        ArrayView<Four> query,
        ArrayView<Four> partials,
        ArrayView<int> arrivals,
        ArrayView<float> attended,
        Operand operand)
        where THead : struct, IHeadSize
        where TKv : struct, IKvFormat
    {
        int row = Grid.IdxY;
        int position = step.Position(row);
        if (position < 0) return;

        AttentionOrder order = new(position, shape.Window);
        int firstSplit = 0;
        int endSplit = order.Splits;
        bool apart = Grid.DimZ > 1 && order.Splits > 1;
        if (Grid.DimZ > 1)
        {
            firstSplit = Grid.IdxZ;
            if (firstSplit >= order.Splits) return;
            endSplit = firstSplit + 1;
        }

        int size = THead.Of(shape);
        int fours = size / 4;
        int tiles = shape.Tiles;
        int kvHead = Grid.IdxX / tiles;
        int firstHead = (kvHead * shape.HeadsTogether) + ((Grid.IdxX - (kvHead * tiles)) * Heads);
        int heads = ((kvHead + 1) * shape.HeadsTogether) - firstHead;
        if (heads > Heads) heads = Heads;

        ArrayView<Four> shared = SharedMemory.GetDynamic<Four>();
        ArrayView<Four> queries = shared.SubView(0, size);
        ArrayView<Four> rowSums = shared.SubView(size, size);
        ArrayView<Four> weights = shared.SubView(2 * size, Group.DimX);
        ArrayView<Four> units = shared.SubView((2 * size) + Group.DimX, AttentionOrder.Units * (2 + size));

        for (int i = Group.IdxX; i < size; i += Group.DimX)
        {
            int head = i / fours;
            Four none = Four.Of(0);
            queries[i] = head < heads ? query[(((row * shape.Heads) + firstHead + head) * fours) + i - (head * fours)] : none;
        }

        Group.Barrier();

        // From here on a thread has one head, and some of its fours.
        int threadsOfHead = Group.DimX / Heads;
        int mine = Group.IdxX / threadsOfHead;
        int firstFour = Group.IdxX - (mine * threadsOfHead);
        float most = float.NegativeInfinity;
        float sum = 0;
        for (int i = firstFour; i < fours; i += threadsOfHead) rowSums[(mine * fours) + i] = Four.Of(0);

        for (int split = firstSplit; split < endSplit; split++)
        {
            int unitsHere = order.UnitsOf(split);
            for (int unit = Group.IdxX / WarpThreads; unit < unitsHere; unit += Group.DimX / WarpThreads)
                RunUnit<THead, TKv>(shape, step, pages, queries, weights, units, row, kvHead, position, order, split, unit);

            Group.Barrier();

            float splitMost = float.NegativeInfinity;
            float splitSum = 0;
            for (int unit = 0; unit < unitsHere; unit++)
            {
                float unitMost = units[unit * (2 + size)].At(mine);
                float newMost = Softmax.Max(splitMost, unitMost);
                splitSum = Softmax.Fold(splitSum, Softmax.Weight(splitMost, newMost), units[(unit * (2 + size)) + 1].At(mine), Softmax.Weight(unitMost, newMost));
                splitMost = newMost;
            }

            int partial = ((((row * Grid.DimX) + Grid.IdxX) * Grid.DimZ) + split) * (2 + size);
            float rowMost = Softmax.Max(most, splitMost);
            float kept = Softmax.Weight(most, rowMost);
            float added = Softmax.Weight(splitMost, rowMost);
            for (int i = firstFour; i < fours; i += threadsOfHead)
            {
                int at = (mine * fours) + i;
                Four splitSums = SplitSums(units, unitsHere, size, mine, at);
                if (apart) partials[partial + 2 + at] = splitSums;
                else rowSums[at] = Softmax.Fold(rowSums[at], kept, splitSums, added);
            }

            if (apart)
            {
                ArrayView<float> numbers = partials.SubView(partial, 2).Cast<float>();
                if (firstFour == 0)
                {
                    numbers[mine] = splitMost;
                    numbers[Heads + mine] = splitSum;
                }
            }
            else
            {
                sum = Softmax.Fold(sum, kept, splitSum, added);
                most = rowMost;
            }

            Group.Barrier();
        }

        if (apart)
        {
            // The fence makes this group's partials visible before it is counted; the last one counted sees everybody's.
            MemoryFence.DeviceLevel();
            Group.Barrier();
            ArrayView<int> flag = weights.Cast<int>();
            int counter = (row * Grid.DimX) + Grid.IdxX;
            if (Group.IdxX == 0) flag[0] = Atomic.Add(ref arrivals[counter], 1);
            Group.Barrier();
            if (flag[0] != order.Splits - 1) return;

            MemoryFence.DeviceLevel();
            if (Group.IdxX == 0) arrivals[counter] = 0;
            for (int split = 0; split < order.Splits; split++)
            {
                int partial = ((((row * Grid.DimX) + Grid.IdxX) * Grid.DimZ) + split) * (2 + size);
                float splitMost = partials[partial].At(mine);
                float splitSum = partials[partial + 1].At(mine);
                float rowMost = Softmax.Max(most, splitMost);
                float kept = Softmax.Weight(most, rowMost);
                float added = Softmax.Weight(splitMost, rowMost);
                for (int i = firstFour; i < fours; i += threadsOfHead)
                {
                    int at = (mine * fours) + i;
                    rowSums[at] = Softmax.Fold(rowSums[at], kept, partials[partial + 2 + at], added);
                }

                sum = Softmax.Fold(sum, kept, splitSum, added);
                most = rowMost;
            }
        }

        float inverse = 1f / sum;
        for (int i = firstFour; i < fours; i += threadsOfHead)
        {
            int at = (mine * fours) + i;
            rowSums[at] = HeadSums.Times(rowSums[at], inverse);
        }

        Group.Barrier();
        HandOut(shape, operand, attended, rowSums.Cast<float>(), row, firstHead, heads, size);
    }

    // Four numbers of a head, folded over the units of a split.
    private static Four SplitSums(ArrayView<Four> units, int count, int size, int head, int at)
    {
        float most = float.NegativeInfinity;
        Four sums = Four.Of(0);
        for (int unit = 0; unit < count; unit++)
        {
            float unitMost = units[unit * (2 + size)].At(head);
            float newMost = Softmax.Max(most, unitMost);
            sums = Softmax.Fold(sums, Softmax.Weight(most, newMost), units[(unit * (2 + size)) + 2 + at], Softmax.Weight(unitMost, newMost));
            most = newMost;
        }

        return sums;
    }

    // Whole blocks of 32 go to the operand, a lane a column; heads that are no whole blocks go out plain, and are brought into form by a launch of their own.
    private static void HandOut(
        AttentionShape shape, Operand operand, ArrayView<float> attended, ArrayView<float> sums, int row, int firstHead, int heads, int size)
    {
        if (shape.Plain != 0)
        {
            for (int i = Group.IdxX; i < heads * shape.HeadSize; i += Group.DimX)
            {
                int head = i / shape.HeadSize;
                attended[(((row * shape.Heads) + firstHead) * shape.HeadSize) + i] = sums[(head * size) + i - (head * shape.HeadSize)];
            }

            return;
        }

        int lane = Group.IdxX % WarpThreads;
        for (int block = Group.IdxX / WarpThreads; block < heads * size / WarpThreads; block += Group.DimX / WarpThreads)
            operand.WriteLane(row, (firstHead * size / WarpThreads) + block, sums[(block * WarpThreads) + lane]);
    }

    private static void RunUnit<THead, TKv>(
        AttentionShape shape,
        StepView step,
        ArrayView<Quad> pages,
        ArrayView<Four> queries,
        ArrayView<Four> allWeights,
        ArrayView<Four> units,
        int row,
        int kvHead,
        int position,
        AttentionOrder order,
        int split,
        int unit)
        where THead : struct, IHeadSize
        where TKv : struct, IKvFormat
    {
        int size = THead.Of(shape);
        int fours = size / 4;
        int wordsOfPart = fours * WarpThreads / TKv.Fours;
        int lane = Group.IdxX % WarpThreads;
        ArrayView<Four> weights = allWeights.SubView(Group.IdxX - lane, WarpThreads);

        // Lanes beyond the head's end read its first four, and nobody reads theirs.
        int four = lane < fours ? lane : 0;
        int nextFour = lane + WarpThreads < fours ? lane + WarpThreads : 0;
        Four most = Four.Of(float.NegativeInfinity);
        Four sum = Four.Of(0);
        HeadSums sums = HeadSums.None;
        HeadSums nextSums = sums;

        int firstPage = order.FirstPage + (((split * AttentionOrder.Units) + unit) * order.PagesInUnit);
        int endPage = order.FirstPage + order.Pages;
        if (endPage > firstPage + order.PagesInUnit) endPage = firstPage + order.PagesInUnit;
        for (int page = firstPage; page < endPage; page++)
        {
            long start = ((long)step.Page(row, shape.Block, page) * shape.KvHeads) + kvHead;
            ArrayView<Quad> keys = pages.SubView(start * (2 * wordsOfPart), wordsOfPart);
            ArrayView<Quad> values = pages.SubView((start * (2 * wordsOfPart)) + wordsOfPart, wordsOfPart);
            Four scores = Scores<TKv>(keys, queries, fours, lane);
            int at = (page * WarpThreads) + lane;
            bool seen = at >= order.First && at <= position;
            scores.X = seen ? Softmax.Score(scores.X, shape) : float.NegativeInfinity;
            scores.Y = seen ? Softmax.Score(scores.Y, shape) : float.NegativeInfinity;
            scores.Z = seen ? Softmax.Score(scores.Z, shape) : float.NegativeInfinity;
            scores.W = seen ? Softmax.Score(scores.W, shape) : float.NegativeInfinity;

            Four newMost = Softmax.Max(most, WarpMax(scores));
            Four kept = Softmax.Weight(most, newMost);
            Four weight = Softmax.Weight(scores, newMost);
            if (!seen) weight = Four.Of(0);
            Four tree = WarpSum(weight);
            sum.X = Rounded.Fma(sum.X, kept.X, tree.X);
            sum.Y = Rounded.Fma(sum.Y, kept.Y, tree.Y);
            sum.Z = Rounded.Fma(sum.Z, kept.Z, tree.Z);
            sum.W = Rounded.Fma(sum.W, kept.W, tree.W);
            most = newMost;

            weights[lane] = weight;
            Warp.Barrier();
            int firstSeen = order.First - (page * WarpThreads);
            if (firstSeen < 0) firstSeen = 0;
            int endSeen = position + 1 - (page * WarpThreads);
            if (endSeen > WarpThreads) endSeen = WarpThreads;
            sums = Gather<TKv>(values, weights, sums.Shrunk(kept), four, fours, firstSeen, endSeen);
            if (size > WarpNumbers) nextSums = Gather<TKv>(values, weights, nextSums.Shrunk(kept), nextFour, fours, firstSeen, endSeen);
            Warp.Barrier();
        }

        ArrayView<Four> result = units.SubView(unit * (2 + size), 2 + size);
        if (lane == 0)
        {
            result[0] = most;
            result[1] = sum;
        }

        Keep(result, sums, lane, fours);
        if (size > WarpNumbers) Keep(result, nextSums, lane + WarpThreads, fours);
    }

    private static void Keep(ArrayView<Four> result, HeadSums sums, int four, int fours)
    {
        if (four >= fours) return;

        result[2 + four] = sums.A;
        result[2 + fours + four] = sums.B;
        result[2 + (2 * fours) + four] = sums.C;
        result[2 + (3 * fours) + four] = sums.D;
    }

    // Products of the lane's key with the four queries, from the first number to the last; four words are on their way at once.
    private static Four Scores<TKv>(ArrayView<Quad> keys, ArrayView<Four> queries, int fours, int lane)
        where TKv : struct, IKvFormat
    {
        int words = fours / TKv.Fours;
        Four scores = Four.Of(0);
        int word = 0;
        for (; word + 3 < words; word += 4)
        {
            Quad a = keys[(word * WarpThreads) + lane];
            Quad b = keys[((word + 1) * WarpThreads) + lane];
            Quad c = keys[((word + 2) * WarpThreads) + lane];
            Quad d = keys[((word + 3) * WarpThreads) + lane];
            scores = Scores<TKv>(a, queries, word * TKv.Fours, fours, scores);
            scores = Scores<TKv>(b, queries, (word + 1) * TKv.Fours, fours, scores);
            scores = Scores<TKv>(c, queries, (word + 2) * TKv.Fours, fours, scores);
            scores = Scores<TKv>(d, queries, (word + 3) * TKv.Fours, fours, scores);
        }

        for (; word < words; word++) scores = Scores<TKv>(keys[(word * WarpThreads) + lane], queries, word * TKv.Fours, fours, scores);
        return scores;
    }

    private static Four Scores<TKv>(Quad word, ArrayView<Four> queries, int four, int fours, Four scores)
        where TKv : struct, IKvFormat
    {
        scores = Scores(TKv.First(word), queries, four, fours, scores);
        return TKv.Fours > 1 ? Scores(TKv.Last(word), queries, four + 1, fours, scores) : scores;
    }

    private static Four Scores(Four key, ArrayView<Four> queries, int four, int fours, Four scores)
    {
        scores.X = HeadSums.Dot(queries[four], key, scores.X);
        scores.Y = HeadSums.Dot(queries[fours + four], key, scores.Y);
        scores.Z = HeadSums.Dot(queries[(2 * fours) + four], key, scores.Z);
        scores.W = HeadSums.Dot(queries[(3 * fours) + four], key, scores.W);
        return scores;
    }

    // Weights times values, position after position; positions that are not seen may hold anything.
    private static HeadSums Gather<TKv>(ArrayView<Quad> values, ArrayView<Four> weights, HeadSums sums, int four, int fours, int firstSeen, int endSeen)
        where TKv : struct, IKvFormat
    {
        int word = firstSeen / TKv.Fours;
        int endWord = (endSeen + TKv.Fours - 1) / TKv.Fours;
        for (; word + 3 < endWord; word += 4)
        {
            Quad a = values[(word * fours) + four];
            Quad b = values[((word + 1) * fours) + four];
            Quad c = values[((word + 2) * fours) + four];
            Quad d = values[((word + 3) * fours) + four];
            sums = Gather<TKv>(a, weights, sums, word * TKv.Fours, firstSeen, endSeen);
            sums = Gather<TKv>(b, weights, sums, (word + 1) * TKv.Fours, firstSeen, endSeen);
            sums = Gather<TKv>(c, weights, sums, (word + 2) * TKv.Fours, firstSeen, endSeen);
            sums = Gather<TKv>(d, weights, sums, (word + 3) * TKv.Fours, firstSeen, endSeen);
        }

        for (; word < endWord; word++) sums = Gather<TKv>(values[(word * fours) + four], weights, sums, word * TKv.Fours, firstSeen, endSeen);
        return sums;
    }

    private static HeadSums Gather<TKv>(Quad word, ArrayView<Four> weights, HeadSums sums, int position, int firstSeen, int endSeen)
        where TKv : struct, IKvFormat
    {
        if (TKv.Fours == 1) return sums.Plus(weights[position], TKv.First(word));

        if (position >= firstSeen) sums = sums.Plus(weights[position], TKv.First(word));
        if (position + 1 < endSeen) sums = sums.Plus(weights[position + 1], TKv.Last(word));
        return sums;
    }

    private static Four WarpMax(Four values)
    {
        for (int mask = WarpThreads / 2; mask > 0; mask >>= 1)
        {
            values.X = Softmax.Max(values.X, Warp.ShuffleXor(values.X, mask));
            values.Y = Softmax.Max(values.Y, Warp.ShuffleXor(values.Y, mask));
            values.Z = Softmax.Max(values.Z, Warp.ShuffleXor(values.Z, mask));
            values.W = Softmax.Max(values.W, Warp.ShuffleXor(values.W, mask));
        }

        return values;
    }

    private static Four WarpSum(Four values)
    {
        for (int mask = WarpThreads / 2; mask > 0; mask >>= 1)
        {
            values.X = Rounded.Add(values.X, Warp.ShuffleXor(values.X, mask));
            values.Y = Rounded.Add(values.Y, Warp.ShuffleXor(values.Y, mask));
            values.Z = Rounded.Add(values.Z, Warp.ShuffleXor(values.Z, mask));
            values.W = Rounded.Add(values.W, Warp.ShuffleXor(values.W, mask));
        }

        return values;
    }
}
