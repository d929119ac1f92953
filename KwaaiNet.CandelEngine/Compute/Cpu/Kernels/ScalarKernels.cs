using System.Buffers;
using KwaaiNet.CandelEngine.Compute.Blocks;
using KwaaiNet.CandelEngine.Compute.Cpu.Kv;
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

    internal override void Attend(float* query, int heads, in KvBlock kv, int kvHead, in AttentionSpan span, float* scratch, float* output)
    {
        for (int head = 0; head < heads; head++)
            ScalarAttention.Attend(this, query + (head * kv.HeadSize), kv, kvHead, span, scratch, output + (head * kv.HeadSize));
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
