using ILGPU;

namespace KwaaiNet.CandelEngine.Compute.Ilgpu;

/// <summary>The kernels of a block. One thread computes one result from first product to last, so its bits depend on nothing beside it.</summary>
/// <remarks>
/// No shared memory and no barriers: those would be faster on a GPU, and a hundred times slower on ILGPU's CPU accelerator.
/// Matrices are dense, <c>[rows, width]</c>.
/// </remarks>
internal static partial class DeviceKernels
{
    /// <summary><c>x[i] = table[tokens[row], column]</c>; i counts numbers of x.</summary>
    internal static void Embed<TWeights>(Index1D i, TWeights table, ArrayView<int> tokens, int width, ArrayView<float> x)
        where TWeights : struct, IDeviceWeights
    {
        int row = i / width;
        x[i] = table.Element(tokens[row], i - (row * width), width);
    }

    /// <summary>RMSNorm: <c>y[row] = x[rows[row]] / √(mean(x²) + ε) · weights</c>; one thread a row.</summary>
    internal static void RmsNorm(Index1D row, ArrayView<float> x, ArrayView<int> rows, ArrayView<float> weights, int width, float epsilon, ArrayView<float> y) =>
        Norm(x.SubView(rows[row] * width, width), weights, width, epsilon, y.SubView(row * width, width));

    /// <summary>RMSNorm in place, of rows or of the heads in them; one thread each.</summary>
    internal static void NormInPlace(Index1D i, ArrayView<float> x, ArrayView<float> weights, int width, float epsilon)
    {
        ArrayView<float> row = x.SubView(i * width, width);
        Norm(row, weights, width, epsilon, row);
    }

    /// <summary><c>y[row, output] = weights[output] · x[row]</c>; i counts numbers of y.</summary>
    internal static void Multiply<TWeights>(Index1D i, TWeights weights, int outputs, int columns, ArrayView<float> x, ArrayView<float> y)
        where TWeights : struct, IDeviceWeights
    {
        int row = i / outputs;
        y[i] = weights.Dot(i - (row * outputs), columns, x.SubView(row * columns, columns));
    }

    /// <summary><c>x[row, column] += bias[column]</c>; i counts numbers of x.</summary>
    internal static void AddBias(Index1D i, ArrayView<float> x, ArrayView<float> bias, int width) => x[i] += bias[i % width];

    /// <summary><c>gate[i] = gate[i] / (1 + e^−gate[i]) · up[i]</c>.</summary>
    internal static void SiluMultiply(Index1D i, ArrayView<float> gate, ArrayView<float> up)
    {
        float value = gate[i];
        gate[i] = value / (1f + DeviceMath.Exp(-value)) * up[i];
    }

    /// <summary><c>gate[i] = gelu(gate[i]) · up[i]</c>, gelu by its tanh approximation.</summary>
    internal static void GeluMultiply(Index1D i, ArrayView<float> gate, ArrayView<float> up) => gate[i] = DeviceMath.Gelu(gate[i]) * up[i];

    /// <summary><c>x[i] += y[i]</c>.</summary>
    internal static void Add(Index1D i, ArrayView<float> x, ArrayView<float> y) => x[i] += y[i];

    /// <summary><c>x[i] += factor · y[i]</c>.</summary>
    internal static void AddScaled(Index1D i, ArrayView<float> x, ArrayView<float> y, float factor) => x[i] += factor * y[i];

    /// <summary><c>x[i] *= factor</c>.</summary>
    internal static void Scale(Index1D i, ArrayView<float> x, float factor) => x[i] *= factor;

    /// <summary><c>x[i] = cap · tanh(x[i] / cap)</c>.</summary>
    internal static void Softcap(Index1D i, ArrayView<float> x, float cap) => x[i] = DeviceMath.Softcap(x[i], cap);

    /// <summary>Rounds to binary16's values, in place.</summary>
    internal static void RoundToHalf(Index1D i, ArrayView<float> x) => x[i] = DeviceMath.RoundToHalf(x[i]);

    /// <summary><c>y[i] = 0</c>.</summary>
    internal static void Clear(Index1D i, ArrayView<float> y) => y[i] = 0;

    /// <summary><c>y[row] = x[rows[row]]</c>; i counts numbers of y.</summary>
    internal static void Gather(Index1D i, ArrayView<float> x, ArrayView<int> rows, int width, ArrayView<float> y)
    {
        int row = i / width;
        y[i] = x[(rows[row] * width) + i - (row * width)];
    }

    /// <summary><c>y[rows[row]] += weights[row] · x[row]</c>, each row of y once; i counts numbers of x.</summary>
    internal static void ScatterAdd(Index1D i, ArrayView<float> x, ArrayView<int> rows, ArrayView<float> weights, int width, ArrayView<float> y)
    {
        int row = i / width;
        y[(rows[row] * width) + i - (row * width)] += weights[row] * x[i];
    }

    private static void Norm(ArrayView<float> source, ArrayView<float> weights, int width, float epsilon, ArrayView<float> target)
    {
        float a = 0;
        float b = 0;
        int i = 0;
        for (; i + 1 < width; i += 2)
        {
            a += source[i] * source[i];
            b += source[i + 1] * source[i + 1];
        }

        if (i < width) a += source[i] * source[i];

        float scale = 1f / MathF.Sqrt(((a + b) / width) + epsilon);
        for (i = 0; i < width; i++) target[i] = source[i] * scale * weights[i];
    }
}
