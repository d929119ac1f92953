using ILGPU;

namespace KwaaiNet.CandelEngine.Compute.Ilgpu;

internal static partial class DeviceKernels
{
    /// <summary>RoPE on queries, in place. One thread a row and head.</summary>
    internal static void RotateQueries(Index1D i, ArrayView<float> query, ArrayView<float> angles, DeviceShape shape)
    {
        ArrayView<float> head = query.SubView(i * shape.HeadSize, shape.HeadSize);
        Rotate(head, head, angles, i / shape.Heads, shape);
    }

    /// <summary>RoPE on keys, then keys and values go to the cache. One thread a row and key/value head; rows take consecutive positions.</summary>
    internal static void Append(
        Index1D i, ArrayView<float> key, ArrayView<float> value, ArrayView<float> angles, int position, ArrayView<float> keys, ArrayView<float> values, DeviceShape shape)
    {
        int row = i / shape.KvHeads;
        int head = i - (row * shape.KvHeads);
        long at = ((((long)position + row) * shape.KvHeads) + head) * shape.HeadSize;
        int from = i * shape.HeadSize;
        Rotate(key.SubView(from, shape.HeadSize), keys.SubView(at, shape.HeadSize), angles, row, shape);
        for (int e = 0; e < shape.HeadSize; e++) values[at + e] = value[from + e];
    }

    /// <summary>
    /// Attention over the positions that <c>position + row</c> sees, one thread a row and query head, in one pass: the running sum is
    /// scaled down whenever a higher score turns up.
    /// </summary>
    /// <remarks>Source: Milakov and Gimelshein, "Online normalizer calculation for softmax", arXiv:1805.02867.</remarks>
    internal static void Attend(Index1D i, ArrayView<float> query, int position, ArrayView<float> keys, ArrayView<float> values, ArrayView<float> attended, DeviceShape shape)
    {
        int row = i / shape.Heads;
        int kvHead = (i - (row * shape.Heads)) / (shape.Heads / shape.KvHeads);
        int size = shape.HeadSize;
        ArrayView<float> q = query.SubView(i * size, size);
        ArrayView<float> result = attended.SubView(i * size, size);
        float most = float.NegativeInfinity;
        float sum = 0;
        for (int e = 0; e < size; e++) result[e] = 0;

        int length = position + row + 1;
        int first = shape.Window > 0 && length > shape.Window ? length - shape.Window : 0;
        for (int t = first; t < length; t++)
        {
            long at = (((long)t * shape.KvHeads) + kvHead) * size;
            ArrayView<float> k = keys.SubView(at, size);
            ArrayView<float> v = values.SubView(at, size);
            float score = 0;
            for (int e = 0; e < size; e++) score += q[e] * k[e];
            score *= shape.Scale;
            if (shape.Softcap > 0) score = DeviceMath.Softcap(score, shape.Softcap);

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

    // A pair is read before it is written: source and target may be the same head.
    private static void Rotate(ArrayView<float> source, ArrayView<float> target, ArrayView<float> angles, int row, DeviceShape shape)
    {
        int angle = (row * shape.AngleLength) + shape.AngleOffset;
        int end = shape.RopeSize / 2 * shape.PairStride;
        for (int first = 0; first < end; first += shape.PairStride, angle += 2)
        {
            int second = first + shape.PairStep;
            float cosine = angles[angle];
            float sine = angles[angle + 1];
            float a = source[first];
            float b = source[second];
            target[first] = (a * cosine) - (b * sine);
            target[second] = (a * sine) + (b * cosine);
        }

        for (int e = shape.RopeSize; e < shape.HeadSize; e++) target[e] = source[e];
    }
}
