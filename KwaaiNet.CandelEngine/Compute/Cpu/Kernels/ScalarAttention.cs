using KwaaiNet.CandelEngine.Compute.Cpu.Kv;
using KwaaiNet.CandelEngine.Compute.Cpu.Lanes;

namespace KwaaiNet.CandelEngine.Compute.Cpu.Kernels;

/// <summary>Attention as plain loops, in the order that <see cref="AttentionKernel{TLanes, TKv}"/> promises: its oracle in tests.</summary>
internal static unsafe class ScalarAttention
{
    private const int Page = KvBlock.PagePositions;
    private const int Lanes = 32;

    /// <summary>One query head.</summary>
    internal static void Attend(CpuKernels kernels, float* query, in KvBlock kv, int kvHead, in AttentionSpan span, float* scratch, float* output)
    {
        float* weights = scratch;
        float most = float.NegativeInfinity;
        float total = 0;
        new Span<float>(output, kv.HeadSize).Clear();
        for (int page = span.First / Page; page * Page < span.End; page++)
        {
            int start = Math.Max(span.First, page * Page);
            int end = Math.Min(span.End, (page + 1) * Page);
            new Span<float>(weights, Page).Fill(float.NegativeInfinity);
            for (int t = start; t < end; t++)
            {
                float score = 0;
                for (int i = 0; i < kv.HeadSize; i++) score = MathF.FusedMultiplyAdd(kv.Key(t, kvHead, i), query[i], score);
                weights[t % Page] = score * span.Scale;
            }

            if (span.Softcap != 0) kernels.Softcap(weights + (start % Page), end - start, span.Softcap);
            for (int t = 0; t < Page; t++)
            {
                if (t < start - (page * Page) || t >= end - (page * Page)) weights[t] = float.NegativeInfinity;
            }

            float highest = most;
            for (int t = 0; t < Page; t++) highest = MathF.Max(highest, weights[t]);
            if (highest > most)
            {
                float shrink = Exponential.Of(most - highest);
                for (int i = 0; i < kv.HeadSize; i++) output[i] *= shrink;
                total *= shrink;
                most = highest;
            }

            for (int t = 0; t < Page; t++) weights[t] = Exponential.Of(weights[t] - most);
            total += Sum(weights);
            for (int i = 0; i < kv.HeadSize; i++)
            {
                for (int t = start; t < end; t++) output[i] = MathF.FusedMultiplyAdd(weights[t % Page], kv.Value(t, kvHead, i), output[i]);
            }
        }

        float inverse = 1f / total;
        for (int i = 0; i < kv.HeadSize; i++) output[i] *= inverse;
    }

    // Weights 32 apart, then lanes 16 apart, then 8, 4, 2, 1.
    private static float Sum(float* weights)
    {
        float* sums = stackalloc float[Lanes];
        for (int i = 0; i < Lanes; i++) sums[i] = weights[i] + weights[i + Lanes];
        for (int half = Lanes / 2; half > 0; half /= 2)
        {
            for (int i = 0; i < half; i++) sums[i] += sums[i + half];
        }

        return sums[0];
    }
}
