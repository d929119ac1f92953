using System.Runtime.CompilerServices;
using KwaaiNet.CandelEngine.Compute.Cpu.Kv;
using KwaaiNet.CandelEngine.Compute.Cpu.Lanes;

namespace KwaaiNet.CandelEngine.Compute.Cpu.Kernels;

/// <summary>The kernels in one vector width.</summary>
/// <remarks>Compiled once and in full: the first tokens after a start are as fast as all others, and profiles make these loops slower, not faster.</remarks>
internal sealed unsafe class VectorKernels<TLanes> : CpuKernels where TLanes : struct, ILanes<TLanes>
{
    internal override void Multiply(in WeightMatrix weights, int first, int end, float* x, int xStride, int rows, float* y, int yStride) =>
        MatrixKernels<TLanes>.Of(weights.Type)(weights, first, end, x, xStride, rows, y, yStride);

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
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

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
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

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    internal override void GeluMultiply(float* gate, float* up, int width)
    {
        for (int i = 0; i < width; i += 32)
            TLanes.Store(TLanes.Multiply(Gelu.Of(TLanes.Load(gate + i)), TLanes.Load(up + i)), gate + i);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
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

    internal override void Attend(float* query, int heads, in KvBlock kv, int kvHead, in AttentionSpan span, float* scratch, float* output)
    {
        switch (kv.Format)
        {
            case KvFormat.F16: AttentionKernel<TLanes, HalfKv>.Attend(this, query, heads, kv, kvHead, span, scratch, output); break;
            case KvFormat.Q8: AttentionKernel<TLanes, ByteKv>.Attend(this, query, heads, kv, kvHead, span, scratch, output); break;
            default: AttentionKernel<TLanes, SingleKv>.Attend(this, query, heads, kv, kvHead, span, scratch, output); break;
        }
    }
}
