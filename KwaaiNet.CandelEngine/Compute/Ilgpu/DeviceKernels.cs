using ILGPU;

namespace KwaaiNet.CandelEngine.Compute.Ilgpu;

/// <summary>The kernels of a llama block. One thread computes one result from first product to last, so its bits depend on nothing beside it.</summary>
/// <remarks>
/// No shared memory and no barriers: those would be faster on a GPU, and a hundred times slower on ILGPU's CPU accelerator.
/// Matrices are dense, <c>[rows, width]</c>.
/// </remarks>
internal static class DeviceKernels
{
    /// <summary><c>x[i] = table[tokens[row], column]</c>; i counts numbers of x.</summary>
    internal static void Embed<TWeights>(Index1D i, TWeights table, ArrayView<int> tokens, int width, ArrayView<float> x)
        where TWeights : struct, IDeviceWeights
    {
        int row = i / width;
        x[i] = table.Element(tokens[row], i - (row * width), width);
    }

    /// <summary>RMSNorm: <c>y[row] = x[rows[row]] / √(mean(x²) + ε) · weights</c>; one thread a row.</summary>
    internal static void RmsNorm(Index1D row, ArrayView<float> x, ArrayView<int> rows, ArrayView<float> weights, int width, float epsilon, ArrayView<float> y)
    {
        ArrayView<float> source = x.SubView(rows[row] * width, width);
        ArrayView<float> target = y.SubView(row * width, width);
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

    /// <summary><c>y[row, output] = weights[output] · x[row]</c>; i counts numbers of y.</summary>
    internal static void Multiply<TWeights>(Index1D i, TWeights weights, int outputs, int columns, ArrayView<float> x, ArrayView<float> y)
        where TWeights : struct, IDeviceWeights
    {
        int row = i / outputs;
        y[i] = weights.Dot(i - (row * outputs), columns, x.SubView(row * columns, columns));
    }

    /// <summary>RoPE on queries, in place: pairs (2i, 2i + 1) turn by their angles. One thread a row and head.</summary>
    internal static void RotateQueries(Index1D i, ArrayView<float> query, ArrayView<float> angles, DeviceShape shape)
    {
        int row = i / shape.Heads;
        ArrayView<float> head = query.SubView(i * shape.HeadSize, shape.HeadSize);
        Rotate(head, head, angles.SubView(row * shape.RopeSize, shape.RopeSize), shape);
    }

    /// <summary>RoPE on keys, then keys and values go to the cache. One thread a row and key/value head; rows take consecutive positions.</summary>
    internal static void Append(
        Index1D i, ArrayView<float> key, ArrayView<float> value, ArrayView<float> angles, int position, ArrayView<float> keys, ArrayView<float> values, DeviceShape shape)
    {
        int row = i / shape.KvHeads;
        int head = i - (row * shape.KvHeads);
        long at = ((((long)position + row) * shape.KvHeads) + head) * shape.HeadSize;
        int from = i * shape.HeadSize;
        Rotate(key.SubView(from, shape.HeadSize), keys.SubView(at, shape.HeadSize), angles.SubView(row * shape.RopeSize, shape.RopeSize), shape);
        for (int e = 0; e < shape.HeadSize; e++) values[at + e] = value[from + e];
    }

    /// <summary>
    /// Attention over positions <c>[0, position + row]</c>, one thread a row and query head, in one pass: the running sum is scaled
    /// down whenever a higher score turns up.
    /// </summary>
    /// <remarks>Source: Milakov and Gimelshein, "Online normalizer calculation for softmax", arXiv:1805.02867.</remarks>
    internal static void Attend(Index1D i, ArrayView<float> query, int position, ArrayView<float> keys, ArrayView<float> values, ArrayView<float> attended, DeviceShape shape)
    {
        int row = i / shape.Heads;
        int kvHead = (i - (row * shape.Heads)) / (shape.Heads / shape.KvHeads);
        int size = shape.HeadSize;
        ArrayView<float> q = query.SubView(i * size, size);
        ArrayView<float> result = attended.SubView(i * size, size);
        float scale = 1f / MathF.Sqrt(size);
        float most = float.NegativeInfinity;
        float sum = 0;
        for (int e = 0; e < size; e++) result[e] = 0;

        int length = position + row + 1;
        for (int t = 0; t < length; t++)
        {
            long at = (((long)t * shape.KvHeads) + kvHead) * size;
            ArrayView<float> k = keys.SubView(at, size);
            ArrayView<float> v = values.SubView(at, size);
            float score = 0;
            for (int e = 0; e < size; e++) score += q[e] * k[e];
            score *= scale;

            if (score > most)
            {
                float shrink = DeviceMath.Exp(most - score);
                sum *= shrink;
                for (int e = 0; e < size; e++) result[e] *= shrink;
                most = score;
            }

            float weight = DeviceMath.Exp(score - most);
            sum += weight;
            for (int e = 0; e < size; e++) result[e] += weight * v[e];
        }

        float inverse = 1f / sum;
        for (int e = 0; e < size; e++) result[e] *= inverse;
    }

    /// <summary><c>gate[i] = gate[i] / (1 + e^−gate[i]) · up[i]</c>.</summary>
    internal static void SiluMultiply(Index1D i, ArrayView<float> gate, ArrayView<float> up)
    {
        float value = gate[i];
        gate[i] = value / (1f + DeviceMath.Exp(-value)) * up[i];
    }

    /// <summary><c>x[i] += y[i]</c>.</summary>
    internal static void Add(Index1D i, ArrayView<float> x, ArrayView<float> y) => x[i] += y[i];

    /// <summary>Rounds to binary16's values, in place.</summary>
    internal static void RoundToHalf(Index1D i, ArrayView<float> x) => x[i] = DeviceMath.RoundToHalf(x[i]);

    private static void Rotate(ArrayView<float> source, ArrayView<float> target, ArrayView<float> angles, DeviceShape shape)
    {
        for (int e = 0; e < shape.RopeSize; e += 2)
        {
            float cosine = angles[e];
            float sine = angles[e + 1];
            float a = source[e];
            float b = source[e + 1];
            target[e] = (a * cosine) - (b * sine);
            target[e + 1] = (a * sine) + (b * cosine);
        }

        for (int e = shape.RopeSize; e < shape.HeadSize; e++) target[e] = source[e];
    }
}
