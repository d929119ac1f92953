using ILGPU;

namespace KwaaiNet.CandelEngine.Compute.Ilgpu.Matrices;

/// <summary>
/// Kernels on tensor cores, for prefill and for sessions decoding together, and for 16-bit floats always: a group computes 32 outputs of
/// a span of operand rows, each of its warps one segment of all of them, so that a weight is read once for the span.
/// The grid is <c>(spans of operand rows, tiles)</c>.
/// </summary>
/// <remarks>Groups that share a tile of weights come one after the other, and find it in the cache.</remarks>
internal static class TensorKernels
{
    /// <summary>Threads of a group.</summary>
    internal const int GroupSize = 32 * Segments.Count;

    // Threads that add up: an output of an operand row each.
    private const int Adders = 8 * Tiles.Rows;

    // Sums of a column, of a segment, of all; odd, so that lanes write to different banks.
    private const int ColumnStride = Tiles.Rows + 1;
    private const int SegmentStride = 8 * ColumnStride;
    private const int MostTiles = 4;
    private const int SumCount = Segments.Count * SegmentStride;

    /// <summary><c>y[row, output] = weights[output] · x[row]</c>.</summary>
    internal static void Multiply<TWeights, TSpan>(TWeights weights, Operand x, int rows, Product y)
        where TWeights : struct, ITensorWeights
        where TSpan : struct, ISpan<TSpan>
    {
        ArrayView<float> shared = SharedMemory.Allocate<float>(SumCount);
        int thread = Group.IdxX;
        int tile = Grid.IdxY;
        TSpan sums = Segment<TWeights, TSpan>(weights, x, tile, thread);
        int output = (tile * Tiles.Rows) + (thread & 31);
        for (int index = 0; index < sums.Count; index++)
        {
            Group.Barrier();
            Store(shared, sums.Tile(index), thread);
            Group.Barrier();
            int row = (((Grid.IdxX * sums.Count) + index) << 3) | (thread >> 5);
            if (thread < Adders && row < rows && output < y.Outputs) y.Write(row, output, Total(shared, thread));
        }
    }

    /// <summary><c>y[row, output] = f(gate[output] · x[row]) · (up[output] · x[row])</c>, blocks of an operand.</summary>
    internal static void Gate<TWeights, TSpan>(
        TWeights gate, TWeights up, Operand x, int rows, ArrayView<float> bias, int hasBias, int activation, Operand y)
        where TWeights : struct, ITensorWeights
        where TSpan : struct, ISpan<TSpan>
    {
        ArrayView<float> shared = SharedMemory.Allocate<float>(SumCount);

        // The gate's results wait here, and not as sums in registers: those are for the up projection's.
        ArrayView<float> gated = SharedMemory.Allocate<float>(MostTiles * Adders);
        int thread = Group.IdxX;
        int tile = Grid.IdxY;
        TSpan sums = Segment<TWeights, TSpan>(gate, x, tile, thread);
        for (int index = 0; index < sums.Count; index++)
        {
            Group.Barrier();
            Store(shared, sums.Tile(index), thread);
            Group.Barrier();
            if (thread < Adders) gated[(index * Adders) + thread] = Total(shared, thread);
        }

        sums = Segment<TWeights, TSpan>(up, x, tile, thread);
        int output = (tile * Tiles.Rows) + (thread & 31);
        for (int index = 0; index < sums.Count; index++)
        {
            Group.Barrier();
            Store(shared, sums.Tile(index), thread);
            Group.Barrier();
            int row = (((Grid.IdxX * sums.Count) + index) << 3) | (thread >> 5);
            if (thread < Adders && row < rows)
                y.WriteLane(row, tile, Gates.Close(gated[(index * Adders) + thread], Total(shared, thread), output, y.Columns, bias, hasBias, activation));
        }
    }

    // A warp's segment of 32 outputs and a span of operand rows.
    private static TSpan Segment<TWeights, TSpan>(TWeights weights, Operand x, int tile, int thread)
        where TWeights : struct, ITensorWeights
        where TSpan : struct, ISpan<TSpan>
    {
        TSpan sums = default;
        int length = Segments.Length(x.Blocks);
        int block = (thread >> 5) * length;
        int end = block + length < x.Blocks ? block + length : x.Blocks;
        int lane = thread & 31;
        int step = x.Blocks << x.TileShift;
        int at = ((Grid.IdxX * sums.Count * x.Blocks) + block) << x.TileShift;
        int stride = 1 << x.TileShift;
        if ((x.Blocks & 7) == 0)
        {
            for (; block < end; block += 4)
            {
                RowScales scales = weights.LoadScales(tile, block >> 2, lane);
                WeightBlock a = weights.LoadBlock(tile, block, lane, scales, 0);
                WeightBlock b = weights.LoadBlock(tile, block + 1, lane, scales, 1);
                WeightBlock c = weights.LoadBlock(tile, block + 2, lane, scales, 2);
                WeightBlock d = weights.LoadBlock(tile, block + 3, lane, scales, 3);
                sums = sums.Add(weights, a, x, at, step, lane);
                sums = sums.Add(weights, b, x, at + stride, step, lane);
                sums = sums.Add(weights, c, x, at + (2 * stride), step, lane);
                sums = sums.Add(weights, d, x, at + (3 * stride), step, lane);
                at += 4 * stride;
            }
        }
        else
        {
            for (; block < end; block++)
            {
                RowScales scales = weights.LoadScales(tile, block >> 2, lane);
                sums = sums.Add(weights, weights.LoadBlock(tile, block, lane, scales, block & 3), x, at, step, lane);
                at += stride;
            }
        }

        return sums;
    }

    private static void Store(ArrayView<float> shared, TileSums sums, int thread)
    {
        int lane = thread & 31;
        int at = ((thread >> 5) * SegmentStride) + (2 * (lane & 3) * ColumnStride) + (lane & ~3);
        shared[at] = sums.Upper.A;
        shared[at + ColumnStride] = sums.Upper.B;
        shared[at + 1] = sums.Upper.C;
        shared[at + ColumnStride + 1] = sums.Upper.D;
        shared[at + 2] = sums.Lower.A;
        shared[at + ColumnStride + 2] = sums.Lower.B;
        shared[at + 3] = sums.Lower.C;
        shared[at + ColumnStride + 3] = sums.Lower.D;
    }

    private static float Total(ArrayView<float> shared, int thread) =>
        SegmentSums.Total(shared, ((thread >> 5) * ColumnStride) + Tiles.Slot(thread & 31), SegmentStride);
}
