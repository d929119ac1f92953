using KwaaiNet.CandelEngine.Compute.Cpu.Lanes;

namespace KwaaiNet.CandelEngine.Compute.Cpu.Kernels;

/// <summary>
/// GELU by its tanh approximation, <c>x / (1 + e^(Slope · x · (1 + Cubic · x²)))</c>, where argument and result between −10 and 10 keep
/// the 11 bits of a binary16, and beyond it is 0 or x.
/// </summary>
/// <remarks>
/// Source: Hendrycks and Gimpel, arXiv:1606.08415; (1 + tanh u) / 2 is 1 / (1 + e^−2u). The rounding is that of ggml's processor backend,
/// which looks GELU up in a table of binary16: without it Gemma's logits part from llama.cpp's by some 2·10⁻³, with it by some 10⁻⁵.
/// These models were trained in bfloat16, whose 8 bits are coarser.
/// </remarks>
internal static class Gelu
{
    internal const float Cubic = 0.044715f;
    internal const float Slope = -1.5957691216057308f; // −2 · √(2/π)
    internal const float Bound = 10;
    private const float Splitter = 8193; // 2^13 + 1: x·s − (x·s − x) leaves 24 − 13 bits (Veltkamp)

    internal static TLanes Of<TLanes>(TLanes x) where TLanes : struct, ILanes<TLanes>
    {
        TLanes one = TLanes.Broadcast(1);
        TLanes bound = TLanes.Broadcast(Bound);
        TLanes inside = Short(TLanes.Min(TLanes.Max(x, TLanes.Broadcast(-Bound)), bound));
        TLanes bent = TLanes.Add(TLanes.Multiply(TLanes.Multiply(inside, inside), TLanes.Broadcast(Cubic)), one);
        TLanes power = Exponential.Of(TLanes.Multiply(TLanes.Multiply(inside, bent), TLanes.Broadcast(Slope)));
        TLanes gelu = Short(TLanes.Divide(inside, TLanes.Add(one, power)));
        return TLanes.Add(gelu, TLanes.ZeroBelow(x, bound, TLanes.Subtract(x, gelu)));
    }

    /// <summary>The scalar twin.</summary>
    internal static float Of(float x)
    {
        float inside = Short(MathF.Min(MathF.Max(x, -Bound), Bound));
        float bent = (inside * inside * Cubic) + 1f;
        float gelu = Short(inside / (1f + Exponential.Of(inside * bent * Slope)));
        return gelu + (x < Bound ? 0 : x - gelu);
    }

    private static TLanes Short<TLanes>(TLanes x) where TLanes : struct, ILanes<TLanes>
    {
        TLanes split = TLanes.Multiply(x, TLanes.Broadcast(Splitter));
        return TLanes.Subtract(split, TLanes.Subtract(split, x));
    }

    private static float Short(float x)
    {
        float split = x * Splitter;
        return split - (split - x);
    }
}
