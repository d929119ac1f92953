using ILGPU;

namespace KwaaiNet.CandelEngine.Compute.Ilgpu.Matrices;

/// <summary>
/// Decode kernels for CUDA, one operand row at a time: a group computes 32 outputs, each of its warps one segment of all of them.
/// The grid is <c>(operand rows, tiles)</c>.
/// </summary>
internal static class VectorProductKernels
{
    /// <summary>Threads of a group.</summary>
    internal const int GroupSize = Segments.Count * Tiles.Rows;

    /// <summary><c>y[row, output] = weights[output] · x[row]</c>.</summary>
    internal static void Multiply<TWeights>(TWeights weights, Operand x, Product y)
        where TWeights : struct, IVectorWeights
    {
        ArrayView<float> sums = SharedMemory.Allocate<float>(GroupSize);
        int thread = Group.IdxX;
        int tile = Grid.IdxY;
        int row = Grid.IdxX;
        sums[thread] = Segment(weights, tile, thread, x, row);
        Group.Barrier();
        int output = (tile * Tiles.Rows) + thread;
        if (thread < Tiles.Rows && output < y.Outputs) y.Write(row, output, Total(sums, thread));
    }

    /// <summary><c>y[row, output] = f(gate[output] · x[row]) · (up[output] · x[row])</c>, a block of an operand.</summary>
    internal static void Gate<TWeights>(TWeights gate, TWeights up, Operand x, ArrayView<float> bias, int hasBias, int activation, Operand y)
        where TWeights : struct, IVectorWeights
    {
        ArrayView<float> sums = SharedMemory.Allocate<float>(2 * GroupSize);
        int thread = Group.IdxX;
        int tile = Grid.IdxY;
        int row = Grid.IdxX;
        sums[thread] = Segment(gate, tile, thread, x, row);
        sums[GroupSize + thread] = Segment(up, tile, thread, x, row);
        Group.Barrier();
        if (thread >= Tiles.Rows) return;

        float gated = Total(sums, thread);
        float upward = Total(sums.SubView(GroupSize, GroupSize), thread);
        y.WriteLane(row, tile, Gates.Close(gated, upward, (tile * Tiles.Rows) + thread, y.Columns, bias, hasBias, activation));
    }

    private static float Segment<TWeights>(TWeights weights, int tile, int thread, Operand x, int row)
        where TWeights : struct, IVectorWeights
    {
        int length = Segments.Length(x.Blocks);
        int block = (thread >> 5) * length;
        int end = block + length < x.Blocks ? block + length : x.Blocks;
        int lane = thread & 31;
        int stride = 1 << x.TileShift;
        int at = x.At(row, block);
        float sum = 0;
        if ((x.Blocks & 7) == 0)
        {
            for (; block < end; block += 8)
            {
                sum = weights.AddChunk(sum, tile, block, lane, x, at, stride);
                at += 8 * stride;
            }
        }
        else
        {
            for (; block < end; block++)
            {
                sum = weights.AddSingle(sum, tile, block, lane, x, at);
                at += stride;
            }
        }

        return sum;
    }

    private static float Total(ArrayView<float> sums, int thread) => SegmentSums.Total(sums, Tiles.Slot(thread), Tiles.Rows);
}
