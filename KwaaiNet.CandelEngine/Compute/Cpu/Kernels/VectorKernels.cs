using System.Runtime.CompilerServices;
using KwaaiNet.CandelEngine.Compute.Cpu.Lanes;

namespace KwaaiNet.CandelEngine.Compute.Cpu.Kernels;

/// <summary>The kernels in one vector width.</summary>
internal sealed unsafe class VectorKernels<TLanes> : CpuKernels where TLanes : struct, ILanes<TLanes>
{
    internal override void Multiply(in WeightMatrix weights, int first, int end, float* x, int xStride, int rows, float* y, int yStride) =>
        MatrixKernels<TLanes>.Of(weights.Type)(weights, first, end, x, xStride, rows, y, yStride);

    internal override void RmsNorm(float* x, float* weights, int width, float epsilon, float* y)
    {
        TLanes sum = TLanes.Broadcast(0);
        for (int i = 0; i < width; i += 32)
        {
            TLanes value = TLanes.Load(x + i);
            sum = TLanes.FusedMultiplyAdd(value, value, sum);
        }

        TLanes scale = TLanes.Broadcast(1f / MathF.Sqrt((TLanes.Sum(sum) / width) + epsilon));
        for (int i = 0; i < width; i += 32)
            TLanes.Store(TLanes.Multiply(TLanes.Multiply(TLanes.Load(x + i), scale), TLanes.Load(weights + i)), y + i);
    }

    internal override void SiluMultiply(float* gate, float* up, int width)
    {
        TLanes zero = TLanes.Broadcast(0);
        TLanes one = TLanes.Broadcast(1);
        for (int i = 0; i < width; i += 32)
        {
            TLanes value = TLanes.Load(gate + i);
            TLanes silu = TLanes.Divide(value, TLanes.Add(one, Exponential.Of(TLanes.Subtract(zero, value))));
            TLanes.Store(TLanes.Multiply(silu, TLanes.Load(up + i)), gate + i);
        }
    }

    internal override void GeluMultiply(float* gate, float* up, int width)
    {
        for (int i = 0; i < width; i += 32)
            TLanes.Store(TLanes.Multiply(Gelu.Of(TLanes.Load(gate + i)), TLanes.Load(up + i)), gate + i);
    }

    internal override void Softcap(float* x, int width, float cap)
    {
        TLanes one = TLanes.Broadcast(1);
        TLanes two = TLanes.Broadcast(2);
        TLanes twice = TLanes.Broadcast(2f / cap);
        for (int i = 0; i < width; i += 32)
        {
            TLanes power = Exponential.Of(TLanes.Multiply(TLanes.Load(x + i), twice));
            TLanes tanh = TLanes.Subtract(one, TLanes.Divide(two, TLanes.Add(one, power)));
            TLanes.Store(TLanes.Multiply(tanh, TLanes.Broadcast(cap)), x + i);
        }
    }

    internal override void Attend(float* query, in KvBlock kv, int head, in AttentionSpan span, float* scores, float* output)
    {
        Score(query, kv, head, span, scores);
        if (span.Softcap != 0) Softcap(scores, span.Length, span.Softcap);
        float inverse = 1f / Softmax(scores, span.Length);

        int i = 0;
        for (; i + 32 <= kv.HeadSize; i += 32)
        {
            TLanes sum = Mix(kv, head, span, scores, i, 32);
            TLanes.Store(TLanes.Multiply(sum, TLanes.Broadcast(inverse)), output + i);
        }

        int tail = kv.HeadSize - i;
        if (tail == 0) return;

        TLanes last = Mix(kv, head, span, scores, i, tail);
        PartialLanes.Store(TLanes.Multiply(last, TLanes.Broadcast(inverse)), output + i, tail);
    }

    // scores[t] = q · k_t · scale, t counted from the span's first position
    private static void Score(float* query, in KvBlock kv, int head, in AttentionSpan span, float* scores)
    {
        int whole = kv.HeadSize & ~31;
        int tail = kv.HeadSize - whole;
        TLanes queryTail = PartialLanes.Load<TLanes>(query + whole, tail);
        for (int page = span.First / KvBlock.PagePositions; page * KvBlock.PagePositions < span.End; page++)
        {
            int start = Math.Max(span.First, page * KvBlock.PagePositions);
            int end = Math.Min(span.End, (page + 1) * KvBlock.PagePositions);
            float* key = kv.Key(start, head);
            for (int t = start; t < end; t++, key += kv.HeadSize)
            {
                TLanes sum = TLanes.Broadcast(0);
                for (int i = 0; i < whole; i += 32) sum = TLanes.FusedMultiplyAdd(TLanes.Load(key + i), TLanes.Load(query + i), sum);
                if (tail > 0) sum = TLanes.FusedMultiplyAdd(PartialLanes.Load<TLanes>(key + whole, tail), queryTail, sum);
                scores[t - span.First] = TLanes.Sum(sum) * span.Scale;
            }
        }
    }

    // scores[t] = e^(scores[t] − max); returns their sum. Lanes beyond the length count as −∞.
    private static float Softmax(float* scores, int length)
    {
        new Span<float>(scores + length, Padded(length) - length).Fill(float.NegativeInfinity);
        TLanes most = TLanes.Load(scores);
        for (int t = 32; t < length; t += 32) most = TLanes.Max(most, TLanes.Load(scores + t));

        TLanes highest = TLanes.Broadcast(TLanes.Maximum(most));
        TLanes sum = TLanes.Broadcast(0);
        for (int t = 0; t < length; t += 32)
        {
            TLanes weight = Exponential.Of(TLanes.Subtract(TLanes.Load(scores + t), highest));
            TLanes.Store(weight, scores + t);
            sum = TLanes.Add(sum, weight);
        }

        return TLanes.Sum(sum);
    }

    // Σ_t scores[t] · v_t[offset ..], t ascending.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TLanes Mix(in KvBlock kv, int head, in AttentionSpan span, float* scores, int offset, int count)
    {
        TLanes sum = TLanes.Broadcast(0);
        for (int page = span.First / KvBlock.PagePositions; page * KvBlock.PagePositions < span.End; page++)
        {
            int start = Math.Max(span.First, page * KvBlock.PagePositions);
            int end = Math.Min(span.End, (page + 1) * KvBlock.PagePositions);
            float* value = kv.Value(start, head) + offset;
            for (int t = start; t < end; t++, value += kv.HeadSize)
            {
                TLanes row = count == 32 ? TLanes.Load(value) : PartialLanes.Load<TLanes>(value, count);
                sum = TLanes.FusedMultiplyAdd(TLanes.Broadcast(scores[t - span.First]), row, sum);
            }
        }

        return sum;
    }
}
