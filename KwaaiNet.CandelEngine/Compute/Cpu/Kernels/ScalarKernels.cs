using System.Buffers;
using KwaaiNet.CandelEngine.Compute.Blocks;
using KwaaiNet.CandelEngine.Compute.Cpu.Lanes;

namespace KwaaiNet.CandelEngine.Compute.Cpu.Kernels;

/// <summary>The kernels as plain loops, in the order that the vector kernels promise: their oracle in tests, and the last resort.</summary>
internal sealed unsafe class ScalarKernels : CpuKernels
{
    private const int Lanes = 32;

    internal override void Multiply(in WeightMatrix weights, int first, int end, float* x, int xStride, int rows, float* y, int yStride)
    {
        float* sums = stackalloc float[Lanes];
        int columns = Padded(weights.Columns);
        float[] row = ArrayPool<float>.Shared.Rent(columns);
        row.AsSpan(weights.Columns, columns - weights.Columns).Clear();
        for (int output = first; output < end; output++)
        {
            WeightLayout.Decode(weights.Type, weights.Row(output), 0, row.AsSpan(0, weights.Columns));
            for (int r = 0; r < rows; r++)
            {
                float* activations = x + ((long)r * xStride);
                new Span<float>(sums, Lanes).Clear();
                for (int c = 0; c < columns; c++) sums[c % Lanes] = MathF.FusedMultiplyAdd(row[c], activations[c], sums[c % Lanes]);

                y[((long)r * yStride) + output - first] = Fold(sums);
            }
        }

        ArrayPool<float>.Shared.Return(row);
    }

    internal override void RmsNorm(float* x, float* weights, int width, float epsilon, float* y)
    {
        float* sums = stackalloc float[Lanes];
        new Span<float>(sums, Lanes).Clear();
        for (int i = 0; i < Padded(width); i++) sums[i % Lanes] = MathF.FusedMultiplyAdd(x[i], x[i], sums[i % Lanes]);

        float scale = 1f / MathF.Sqrt((Fold(sums) / width) + epsilon);
        for (int i = 0; i < Padded(width); i++) y[i] = x[i] * scale * weights[i];
    }

    internal override void SiluMultiply(float* gate, float* up, int width)
    {
        for (int i = 0; i < Padded(width); i++) gate[i] = gate[i] / (1f + Exponential.Of(0f - gate[i])) * up[i];
    }

    internal override void GeluMultiply(float* gate, float* up, int width)
    {
        for (int i = 0; i < Padded(width); i++) gate[i] = Gelu.Of(gate[i]) * up[i];
    }

    internal override void Softcap(float* x, int width, float cap)
    {
        for (int i = 0; i < Padded(width); i++) x[i] = (1f - (2f / (1f + Exponential.Of(x[i] * (2f / cap))))) * cap;
    }

    internal override void Attend(float* query, in KvBlock kv, int head, in AttentionSpan span, float* scores, float* output)
    {
        float* sums = stackalloc float[Lanes];
        int length = span.Length;
        for (int t = 0; t < length; t++)
        {
            float* key = kv.Key(span.First + t, head);
            new Span<float>(sums, Lanes).Clear();
            for (int i = 0; i < Padded(kv.HeadSize); i++)
            {
                bool inside = i < kv.HeadSize;
                sums[i % Lanes] = MathF.FusedMultiplyAdd(inside ? key[i] : 0, inside ? query[i] : 0, sums[i % Lanes]);
            }

            scores[t] = Fold(sums) * span.Scale;
        }

        if (span.Softcap != 0) Softcap(scores, length, span.Softcap);
        float most = float.NegativeInfinity;
        for (int t = 0; t < length; t++) most = MathF.Max(most, scores[t]);

        new Span<float>(sums, Lanes).Clear();
        for (int t = 0; t < Padded(length); t++)
        {
            scores[t] = t < length ? Exponential.Of(scores[t] - most) : 0;
            sums[t % Lanes] += scores[t];
        }

        float inverse = 1f / Fold(sums);
        for (int i = 0; i < kv.HeadSize; i++)
        {
            float sum = 0;
            for (int t = 0; t < length; t++) sum = MathF.FusedMultiplyAdd(scores[t], kv.Value(span.First + t, head)[i], sum);
            output[i] = sum * inverse;
        }
    }

    // Lanes 16 apart, then 8, 4, 2, 1.
    private static float Fold(float* sums)
    {
        for (int half = Lanes / 2; half > 0; half /= 2)
        {
            for (int i = 0; i < half; i++) sums[i] += sums[i + half];
        }

        return sums[0];
    }
}
