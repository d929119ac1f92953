using ILGPU;
using KwaaiNet.CandelEngine.Compute.Ilgpu.Arithmetic;
using KwaaiNet.CandelEngine.Compute.Ilgpu.Matrices;
using KwaaiNet.CandelEngine.Compute.Ilgpu.Steps;

namespace KwaaiNet.CandelEngine.Compute.Ilgpu.Norms;

/// <summary>RMSNorm on CUDA, a group of warps a row. <c>y = x / √(mean(x²) + ε) · weights</c>, summed as <see cref="SquareSum"/> says.</summary>
internal static class CudaNorms
{
    /// <summary>Threads of a group.</summary>
    internal const int GroupThreads = SquareSum.Lanes * SquareSum.Warps;

    /// <summary>Rounds the residual to the rows' boundary format if asked to, and writes its norm as operand of the products that follow.</summary>
    /// <param name="shape">The norm.</param>
    /// <param name="step">The rows.</param>
    /// <param name="residual">Hidden states, <c>[rows, Width]</c>.</param>
    /// <param name="rows">Which rows, one a group, if the shape gathers.</param>
    /// <param name="weights">The norm's, <c>[Width]</c>.</param>
    /// <param name="operand">The result.</param>
    internal static void Norm(NormShape shape, StepView step, ArrayView<float> residual, ArrayView<int> rows, ArrayView<float> weights, Operand operand)
    {
        int row = Grid.IdxX;
        int source = shape.Gathers != 0 ? rows[row] : row;
        ArrayView<float> x = residual.SubView(source * shape.Width, shape.Width);
        if (shape.Rounds != 0 && step.Rounds(source) != 0)
        {
            for (int i = Group.IdxX; i < shape.Width; i += Group.DimX) x[i] = DeviceMath.RoundToHalf(x[i]);
            Group.Barrier();
        }

        float scale = Scale(x, shape);
        int lane = Group.IdxX % SquareSum.Lanes;
        for (int block = Group.IdxX / SquareSum.Lanes; block < operand.Blocks; block += Group.DimX / SquareSum.Lanes)
        {
            int column = (block * SquareSum.Lanes) + lane;
            float value = column < shape.Width ? Rounded.Multiply(Rounded.Multiply(x[column], scale), weights[column]) : 0f;
            operand.WriteLane(row, block, value);
        }
    }

    /// <summary><c>residual += factor · (RMSNorm(x) · weights)</c>.</summary>
    internal static void AddNormed(NormShape shape, ArrayView<float> x, ArrayView<float> weights, float factor, ArrayView<float> residual)
    {
        int start = Grid.IdxX * shape.Width;
        ArrayView<float> source = x.SubView(start, shape.Width);
        ArrayView<float> target = residual.SubView(start, shape.Width);
        float scale = Scale(source, shape);
        for (int i = Group.IdxX; i < shape.Width; i += Group.DimX)
            target[i] = Rounded.Fma(Rounded.Multiply(Rounded.Multiply(source[i], scale), weights[i]), factor, target[i]);
    }

    private static float Scale(ArrayView<float> x, NormShape shape)
    {
        ArrayView<float> sums = SharedMemory.Allocate<float>(SquareSum.Warps);
        int lane = Group.IdxX % SquareSum.Lanes;
        for (int warp = Group.IdxX / SquareSum.Lanes; warp < SquareSum.Warps; warp += Group.DimX / SquareSum.Lanes)
        {
            float sum = SquareSum.Chain(x, shape.Width, (warp * SquareSum.Lanes) + lane);
            for (int mask = SquareSum.Lanes / 2; mask > 0; mask >>= 1) sum = Rounded.Add(sum, Warp.ShuffleXor(sum, mask));
            if (lane == 0) sums[warp] = sum;
        }

        Group.Barrier();
        return SquareSum.Scale(SquareSum.OfWarps(sums[0], sums[1], sums[2], sums[3], sums[4], sums[5], sums[6], sums[7]), shape.Width, shape.Epsilon);
    }
}
