using KwaaiNet.CandelEngine.Compute.Cpu.Lanes;

namespace KwaaiNet.CandelEngine.Compute.Cpu.Kernels;

/// <summary>Matrix times activation rows, in one vector width and one weight format.</summary>
/// <remarks>
/// Rows go in tiles that share each decoded weight; a tile only changes how often a weight is decoded, never the order in which a
/// row's products are added. Within the caller's outputs a tile of rows stays in the cache while the weights pass.
/// </remarks>
internal static unsafe class MatrixKernel<TLanes, TWeights>
    where TLanes : struct, ILanes<TLanes>
    where TWeights : struct, IWeightFormat
{
    internal static void Multiply(in WeightMatrix weights, int first, int end, float* x, int xStride, int rows, float* y, int yStride)
    {
        int row = 0;
        for (; TLanes.TileRows == 4 && row + 4 <= rows; row += 4)
        {
            for (int o = first; o < end; o++)
                Four(weights.Row(o), weights.Columns, x + ((long)row * xStride), xStride, y + ((long)row * yStride) + o - first, yStride);
        }

        for (; row + 2 <= rows; row += 2)
        {
            for (int o = first; o < end; o++)
                Two(weights.Row(o), weights.Columns, x + ((long)row * xStride), xStride, y + ((long)row * yStride) + o - first, yStride);
        }

        if (row == rows) return;

        for (int o = first; o < end; o++)
            y[((long)row * yStride) + o - first] = One(weights.Row(o), weights.Columns, x + ((long)row * xStride));
    }

    private static float One(byte* weights, int columns, float* x)
    {
        TLanes sum = TLanes.Broadcast(0);
        int blocks = columns / 32;
        for (int b = 0; b < blocks; b++) sum = TLanes.FusedMultiplyAdd(TWeights.Decode<TLanes>(weights, b), TLanes.Load(x + (b * 32)), sum);
        if (columns % 32 != 0)
        {
            TLanes tail = TWeights.DecodeTail<TLanes>(weights, blocks, columns % 32);
            sum = TLanes.FusedMultiplyAdd(tail, TLanes.Load(x + (blocks * 32)), sum);
        }

        return TLanes.Sum(sum);
    }

    private static void Two(byte* weights, int columns, float* x, int xStride, float* y, int yStride)
    {
        float* x1 = x + xStride;
        TLanes sum0 = TLanes.Broadcast(0);
        TLanes sum1 = sum0;
        int blocks = columns / 32;
        for (int b = 0; b < blocks; b++)
        {
            TLanes weight = TWeights.Decode<TLanes>(weights, b);
            sum0 = TLanes.FusedMultiplyAdd(weight, TLanes.Load(x + (b * 32)), sum0);
            sum1 = TLanes.FusedMultiplyAdd(weight, TLanes.Load(x1 + (b * 32)), sum1);
        }

        if (columns % 32 != 0)
        {
            TLanes tail = TWeights.DecodeTail<TLanes>(weights, blocks, columns % 32);
            sum0 = TLanes.FusedMultiplyAdd(tail, TLanes.Load(x + (blocks * 32)), sum0);
            sum1 = TLanes.FusedMultiplyAdd(tail, TLanes.Load(x1 + (blocks * 32)), sum1);
        }

        y[0] = TLanes.Sum(sum0);
        y[yStride] = TLanes.Sum(sum1);
    }

    private static void Four(byte* weights, int columns, float* x, int xStride, float* y, int yStride)
    {
        float* x1 = x + xStride;
        float* x2 = x1 + xStride;
        float* x3 = x2 + xStride;
        TLanes sum0 = TLanes.Broadcast(0);
        TLanes sum1 = sum0;
        TLanes sum2 = sum0;
        TLanes sum3 = sum0;
        int blocks = columns / 32;
        for (int b = 0; b < blocks; b++)
        {
            TLanes weight = TWeights.Decode<TLanes>(weights, b);
            sum0 = TLanes.FusedMultiplyAdd(weight, TLanes.Load(x + (b * 32)), sum0);
            sum1 = TLanes.FusedMultiplyAdd(weight, TLanes.Load(x1 + (b * 32)), sum1);
            sum2 = TLanes.FusedMultiplyAdd(weight, TLanes.Load(x2 + (b * 32)), sum2);
            sum3 = TLanes.FusedMultiplyAdd(weight, TLanes.Load(x3 + (b * 32)), sum3);
        }

        if (columns % 32 != 0)
        {
            TLanes tail = TWeights.DecodeTail<TLanes>(weights, blocks, columns % 32);
            sum0 = TLanes.FusedMultiplyAdd(tail, TLanes.Load(x + (blocks * 32)), sum0);
            sum1 = TLanes.FusedMultiplyAdd(tail, TLanes.Load(x1 + (blocks * 32)), sum1);
            sum2 = TLanes.FusedMultiplyAdd(tail, TLanes.Load(x2 + (blocks * 32)), sum2);
            sum3 = TLanes.FusedMultiplyAdd(tail, TLanes.Load(x3 + (blocks * 32)), sum3);
        }

        y[0] = TLanes.Sum(sum0);
        y[yStride] = TLanes.Sum(sum1);
        y[2L * yStride] = TLanes.Sum(sum2);
        y[3L * yStride] = TLanes.Sum(sum3);
    }
}
