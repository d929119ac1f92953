using ILGPU;
using KwaaiNet.CandelEngine.Compute.Ilgpu.Arithmetic;
using KwaaiNet.CandelEngine.Compute.Ilgpu.Matrices;
using KwaaiNet.CandelEngine.Compute.Ilgpu.Steps;

namespace KwaaiNet.CandelEngine.Compute.Ilgpu.Kernels;

/// <summary>Kernels with a thread a number: what is not on the way of a plain block, or once a step.</summary>
internal static class ElementKernels
{
    /// <summary>Rounds rows that cross in binary16 to its values, where they lie; i counts numbers of x.</summary>
    internal static void Round(Index1D i, StepView step, int width, ArrayView<float> x)
    {
        if (step.Rounds(i / width) != 0) x[i] = DeviceMath.RoundToHalf(x[i]);
    }

    /// <summary><c>x[i] = x[i] · scale</c>, then <c>cap · tanh(x[i] / cap)</c> where there is a cap.</summary>
    internal static void ScaleAndCap(Index1D i, float scale, float cap, ArrayView<float> x)
    {
        float value = x[i] * scale;
        x[i] = cap > 0 ? DeviceMath.Softcap(value, cap) : value;
    }

    /// <summary><c>x[i] += factor · y[i]</c>.</summary>
    internal static void AddScaled(Index1D i, ArrayView<float> x, ArrayView<float> y, float factor) => x[i] += factor * y[i];

    /// <summary><c>y[i] = 0</c>.</summary>
    internal static void Clear(Index1D i, ArrayView<float> y) => y[i] = 0;

    /// <summary><c>y[row] = x[rows[row]]</c>, out of an operand that has float32; i counts numbers of y.</summary>
    internal static void Gather(Index1D i, Operand x, ArrayView<int> rows, int width, ArrayView<float> y)
    {
        int row = i / width;
        int column = i - (row * width);
        int block = column / Segments.BlockLength;
        y[i] = x.Singles[(Segments.BlockLength * x.At(rows[row], block)) + column - (block * Segments.BlockLength)];
    }

    /// <summary><c>y[rows[row]] += weights[row] · x[row]</c>, each row of y once; i counts numbers of x.</summary>
    internal static void ScatterAdd(Index1D i, ArrayView<float> x, ArrayView<int> rows, ArrayView<float> weights, int width, ArrayView<float> y)
    {
        int row = i / width;
        y[(rows[row] * width) + i - (row * width)] += weights[row] * x[i];
    }
}
