using ILGPU;
using KwaaiNet.CandelEngine.Compute.Ilgpu.Arithmetic;
using KwaaiNet.CandelEngine.Compute.Ilgpu.Matrices;
using KwaaiNet.CandelEngine.Compute.Ilgpu.Steps;

namespace KwaaiNet.CandelEngine.Compute.Ilgpu.Norms;

/// <summary>RMSNorm on devices without warps, a thread a row. The order is <see cref="SquareSum"/>'s.</summary>
internal static class PortableNorms
{
    /// <summary>As <see cref="CudaNorms.Norm"/>.</summary>
    /// <param name="row">The row.</param>
    /// <param name="shape">The norm.</param>
    /// <param name="step">The rows.</param>
    /// <param name="residual">Hidden states, <c>[rows, Width]</c>.</param>
    /// <param name="rows">Which rows, one a thread, if the shape gathers.</param>
    /// <param name="weights">The norm's, <c>[Width]</c>.</param>
    /// <param name="scratch">Room for the normed rows.</param>
    /// <param name="operand">The result.</param>
    internal static void Norm(
        Index1D row, NormShape shape, StepView step, ArrayView<float> residual, ArrayView<int> rows, ArrayView<float> weights, ArrayView<float> scratch, Operand operand)
    {
        int source = shape.Gathers != 0 ? rows[row] : (int)row;
        ArrayView<float> x = residual.SubView(source * shape.Width, shape.Width);
        ArrayView<float> y = scratch.SubView(row * shape.Width, shape.Width);
        if (shape.Rounds != 0 && step.Rounds(source) != 0)
        {
            for (int i = 0; i < shape.Width; i++) x[i] = DeviceMath.RoundToHalf(x[i]);
        }

        float scale = Scale(x, shape);
        for (int i = 0; i < shape.Width; i++) y[i] = Rounded.Multiply(Rounded.Multiply(x[i], scale), weights[i]);
        for (int block = 0; block < operand.Blocks; block++) operand.WriteBlock(row, block, y, block * SquareSum.Lanes);
    }

    /// <summary><c>residual += factor · (RMSNorm(x) · weights)</c>.</summary>
    internal static void AddNormed(Index1D row, NormShape shape, ArrayView<float> x, ArrayView<float> weights, float factor, ArrayView<float> residual)
    {
        ArrayView<float> source = x.SubView(row * shape.Width, shape.Width);
        ArrayView<float> target = residual.SubView(row * shape.Width, shape.Width);
        float scale = Scale(source, shape);
        for (int i = 0; i < shape.Width; i++)
            target[i] = Rounded.Fma(Rounded.Multiply(Rounded.Multiply(source[i], scale), weights[i]), factor, target[i]);
    }

    private static float Scale(ArrayView<float> x, NormShape shape)
    {
        int width = shape.Width;
        return SquareSum.Scale(
            SquareSum.OfWarps(Sum(x, width, 0), Sum(x, width, 1), Sum(x, width, 2), Sum(x, width, 3), Sum(x, width, 4), Sum(x, width, 5), Sum(x, width, 6), Sum(x, width, 7)),
            width,
            shape.Epsilon);
    }

    private static float Sum(ArrayView<float> x, int width, int warp)
    {
        TreeSum tree = default;
        float sum = 0;
        for (int n = 0; n < SquareSum.Lanes; n++) sum = tree.Add(n, SquareSum.Chain(x, width, (warp * SquareSum.Lanes) + TreeSum.Lane(n)));
        return sum;
    }
}
