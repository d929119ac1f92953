using System.Runtime.CompilerServices;
using KwaaiNet.CandelEngine.Compute.Cpu.Kv;
using KwaaiNet.CandelEngine.Compute.Cpu.Lanes;

namespace KwaaiNet.CandelEngine.Compute.Cpu.Kernels;

/// <summary>
/// Attention of the query heads that share a key/value head, in one pass over the pages: the running sums are scaled down whenever a page
/// holds a higher score. Pages lie at fixed positions, so a row's result does not depend on the chunk it came in, or on the rows beside it.
/// </summary>
/// <remarks>
/// Source: Milakov and Gimelshein, "Online normalizer calculation for softmax", arXiv:1805.02867. Four heads share each key and value that
/// is loaded; a head's own arithmetic is the same in fours and alone.
/// </remarks>
internal static unsafe class AttentionKernel<TLanes, TKv>
    where TLanes : struct, ILanes<TLanes>
    where TKv : struct, IKvRows
{
    private const int Page = KvBlock.PagePositions;

    /// <inheritdoc cref="CpuKernels.Attend"/>
    internal static void Attend(CpuKernels kernels, float* query, int heads, in KvBlock kv, int kvHead, in AttentionSpan span, float* scratch, float* output)
    {
        int head = 0;
        for (; head + 4 <= heads; head += 4) Attend4(kernels, query + (head * kv.HeadSize), kv, kvHead, span, scratch, output + (head * kv.HeadSize));
        for (; head < heads; head++) Attend1(kernels, query + (head * kv.HeadSize), kv, kvHead, span, scratch, output + (head * kv.HeadSize));
    }

    /// <summary>Four query heads of a key/value head.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Attend4(CpuKernels kernels, float* query, in KvBlock kv, int kvHead, in AttentionSpan span, float* scratch, float* output)
    {
        const int Heads = 4;
        int size = kv.HeadSize;
        int padded = CpuKernels.Padded(size);
        float* scores = scratch;
        float* sums = scratch + (Heads * Page);
        Span<float> most = stackalloc float[Heads];
        Span<float> total = stackalloc float[Heads];
        most.Fill(float.NegativeInfinity);
        total.Clear();
        new Span<float>(sums, Heads * padded).Clear();
        for (int page = span.First / Page; page * Page < span.End; page++)
        {
            int start = Math.Max(span.First - (page * Page), 0);
            int end = Math.Min(span.End - (page * Page), Page);
            byte* keys = kv.Keys(page, kvHead);
            byte* values = kv.Values(page, kvHead);
            // A page's keys and values lie apart from the next one's, where no processor looks by itself.
            int following = (page + 1) * Page < span.End ? page + 1 : page;
            long ahead = kv.Keys(following, kvHead) - keys;
            Score4(query, keys, ahead, size, start, end, span.Scale, scores);
            if (span.Softcap != 0) kernels.Softcap(scores, Heads * Page, span.Softcap);
            for (int head = 0; head < Heads; head++)
                Weigh(scores + (head * Page), start, end, sums + (head * padded), padded, ref most[head], ref total[head]);
            Mix4(scores, values, kv.Values(following, kvHead) - values, size, start, end, sums, padded);
        }

        for (int head = 0; head < Heads; head++)
        {
            float inverse = 1f / total[head];
            for (int i = 0; i < size; i++) output[(head * size) + i] = sums[(head * padded) + i] * inverse;
        }
    }

    // scores[head, t] = q · k_t · scale, numbers of the head in order
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Score4(float* query, byte* keys, long ahead, int size, int start, int end, float scale, float* scores)
    {
        for (int t = start & ~31; t < end; t += 32)
        {
            TLanes s0 = TLanes.Broadcast(0), s1 = TLanes.Broadcast(0), s2 = TLanes.Broadcast(0), s3 = TLanes.Broadcast(0);
            for (int i = 0; i < size; i++)
            {
                Prefetch.At(keys + ahead + (((long)i * Page) + t) * TKv.Bytes, 32 * TKv.Bytes);
                TLanes key = TKv.Key<TLanes>(keys, size, i, t);
                s0 = TLanes.FusedMultiplyAdd(key, TLanes.Broadcast(query[i]), s0);
                s1 = TLanes.FusedMultiplyAdd(key, TLanes.Broadcast(query[i + size]), s1);
                s2 = TLanes.FusedMultiplyAdd(key, TLanes.Broadcast(query[i + (2 * size)]), s2);
                s3 = TLanes.FusedMultiplyAdd(key, TLanes.Broadcast(query[i + (3 * size)]), s3);
            }

            TLanes factor = TLanes.Broadcast(scale);
            TLanes.Store(TLanes.Multiply(s0, factor), scores + t);
            TLanes.Store(TLanes.Multiply(s1, factor), scores + (1 * Page) + t);
            TLanes.Store(TLanes.Multiply(s2, factor), scores + (2 * Page) + t);
            TLanes.Store(TLanes.Multiply(s3, factor), scores + (3 * Page) + t);
        }
    }

    // sums[head] += Σ_t weight[head, t] · v_t, positions in order
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Mix4(float* weights, byte* values, long ahead, int size, int start, int end, float* sums, int padded)
    {
        for (int i = 0; i < size; i += 32)
        {
            if (size - i < 32)
            {
                for (int head = 0; head < 4; head++) MixTail(weights + (head * Page), values, size, start, end, sums + (head * padded), i);
                return;
            }

            TLanes s0 = TLanes.Load(sums + i);
            TLanes s1 = TLanes.Load(sums + (1 * padded) + i);
            TLanes s2 = TLanes.Load(sums + (2 * padded) + i);
            TLanes s3 = TLanes.Load(sums + (3 * padded) + i);
            for (int t = start; t < end; t++)
            {
                Prefetch.At(values + ahead + (((long)t * size) + i) * TKv.Bytes, 32 * TKv.Bytes);
                TLanes value = TKv.Value<TLanes>(values, size, t, i);
                s0 = TLanes.FusedMultiplyAdd(TLanes.Broadcast(weights[t]), value, s0);
                s1 = TLanes.FusedMultiplyAdd(TLanes.Broadcast(weights[t + (1 * Page)]), value, s1);
                s2 = TLanes.FusedMultiplyAdd(TLanes.Broadcast(weights[t + (2 * Page)]), value, s2);
                s3 = TLanes.FusedMultiplyAdd(TLanes.Broadcast(weights[t + (3 * Page)]), value, s3);
            }

            TLanes.Store(s0, sums + i);
            TLanes.Store(s1, sums + (1 * padded) + i);
            TLanes.Store(s2, sums + (2 * padded) + i);
            TLanes.Store(s3, sums + (3 * padded) + i);
        }
    }

    /// <summary>One query head of a key/value head.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Attend1(CpuKernels kernels, float* query, in KvBlock kv, int kvHead, in AttentionSpan span, float* scratch, float* output)
    {
        const int Heads = 1;
        int size = kv.HeadSize;
        int padded = CpuKernels.Padded(size);
        float* scores = scratch;
        float* sums = scratch + (Heads * Page);
        Span<float> most = stackalloc float[Heads];
        Span<float> total = stackalloc float[Heads];
        most.Fill(float.NegativeInfinity);
        total.Clear();
        new Span<float>(sums, Heads * padded).Clear();
        for (int page = span.First / Page; page * Page < span.End; page++)
        {
            int start = Math.Max(span.First - (page * Page), 0);
            int end = Math.Min(span.End - (page * Page), Page);
            byte* keys = kv.Keys(page, kvHead);
            byte* values = kv.Values(page, kvHead);
            // A page's keys and values lie apart from the next one's, where no processor looks by itself.
            int following = (page + 1) * Page < span.End ? page + 1 : page;
            long ahead = kv.Keys(following, kvHead) - keys;
            Score1(query, keys, ahead, size, start, end, span.Scale, scores);
            if (span.Softcap != 0) kernels.Softcap(scores, Heads * Page, span.Softcap);
            for (int head = 0; head < Heads; head++)
                Weigh(scores + (head * Page), start, end, sums + (head * padded), padded, ref most[head], ref total[head]);
            Mix1(scores, values, kv.Values(following, kvHead) - values, size, start, end, sums, padded);
        }

        for (int head = 0; head < Heads; head++)
        {
            float inverse = 1f / total[head];
            for (int i = 0; i < size; i++) output[(head * size) + i] = sums[(head * padded) + i] * inverse;
        }
    }

    // scores[head, t] = q · k_t · scale, numbers of the head in order
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Score1(float* query, byte* keys, long ahead, int size, int start, int end, float scale, float* scores)
    {
        for (int t = start & ~31; t < end; t += 32)
        {
            TLanes s0 = TLanes.Broadcast(0);
            for (int i = 0; i < size; i++)
            {
                Prefetch.At(keys + ahead + (((long)i * Page) + t) * TKv.Bytes, 32 * TKv.Bytes);
                TLanes key = TKv.Key<TLanes>(keys, size, i, t);
                s0 = TLanes.FusedMultiplyAdd(key, TLanes.Broadcast(query[i]), s0);
            }

            TLanes factor = TLanes.Broadcast(scale);
            TLanes.Store(TLanes.Multiply(s0, factor), scores + t);
        }
    }

    // sums[head] += Σ_t weight[head, t] · v_t, positions in order
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Mix1(float* weights, byte* values, long ahead, int size, int start, int end, float* sums, int padded)
    {
        for (int i = 0; i < size; i += 32)
        {
            if (size - i < 32)
            {
                MixTail(weights, values, size, start, end, sums, i);
                return;
            }

            TLanes s0 = TLanes.Load(sums + i);
            for (int t = start; t < end; t++)
            {
                Prefetch.At(values + ahead + (((long)t * size) + i) * TKv.Bytes, 32 * TKv.Bytes);
                TLanes value = TKv.Value<TLanes>(values, size, t, i);
                s0 = TLanes.FusedMultiplyAdd(TLanes.Broadcast(weights[t]), value, s0);
            }

            TLanes.Store(s0, sums + i);
        }
    }

    // What a head that is no multiple of 32 numbers has left. A method of its own: a call in the loops above would cost them their registers.
    [MethodImpl(MethodImplOptions.NoInlining | MethodImplOptions.AggressiveOptimization)]
    private static void MixTail(float* weights, byte* values, int size, int start, int end, float* sums, int i)
    {
        TLanes sum = TLanes.Load(sums + i);
        for (int t = start; t < end; t++)
            sum = TLanes.FusedMultiplyAdd(TLanes.Broadcast(weights[t]), TKv.ValueTail<TLanes>(values, size, t, i, size - i), sum);
        TLanes.Store(sum, sums + i);
    }

    // Scores become weights e^(score − highest so far); what was summed under a lower highest is scaled down to match.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Weigh(float* scores, int start, int end, float* sums, int padded, ref float most, ref float total)
    {
        new Span<float>(scores, start).Fill(float.NegativeInfinity);
        new Span<float>(scores + end, Page - end).Fill(float.NegativeInfinity);
        float highest = MathF.Max(TLanes.Maximum(TLanes.Max(TLanes.Load(scores), TLanes.Load(scores + 32))), most);
        if (highest > most)
        {
            float shrink = Exponential.Of(most - highest);
            TLanes factor = TLanes.Broadcast(shrink);
            for (int i = 0; i < padded; i += 32) TLanes.Store(TLanes.Multiply(TLanes.Load(sums + i), factor), sums + i);
            total *= shrink;
            most = highest;
        }

        TLanes down = TLanes.Broadcast(most);
        TLanes first = Exponential.Of(TLanes.Subtract(TLanes.Load(scores), down));
        TLanes second = Exponential.Of(TLanes.Subtract(TLanes.Load(scores + 32), down));
        TLanes.Store(first, scores);
        TLanes.Store(second, scores + 32);
        total += TLanes.Sum(TLanes.Add(first, second));
    }
}
