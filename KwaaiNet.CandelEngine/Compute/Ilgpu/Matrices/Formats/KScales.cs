using KwaaiNet.CandelEngine.Compute.Ilgpu.Cuda;

namespace KwaaiNet.CandelEngine.Compute.Ilgpu.Matrices.Formats;

/// <summary>The scales and minima of a super-block of Q4_K or Q5_K: a number is <c>d · scale · n − dmin · minimum</c>.</summary>
internal static class KScales
{
    internal static int Scale(Quad scales, int group) => ((group < 4 ? scales.X : scales.Y) >> (8 * (group & 3))) & 255;

    internal static int Minimum(Quad scales, int group) => ((group < 4 ? scales.Z : scales.W) >> (8 * (group & 3))) & 255;

    internal static float Add(float sum, Quad scales, int super, int group, int dot, BlockScale x) => Add(
        sum,
        DeviceMath.HalfToSingle(super & 0xFFFF),
        DeviceMath.HalfToSingle((super >> 16) & 0xFFFF),
        Scale(scales, group),
        Minimum(scales, group),
        dot,
        x);

    /// <summary>The term of a block: what the minima take away, then what the scales give. Every kernel does these operations in this order.</summary>
    internal static float Add(float sum, float d, float dmin, int scale, int minimum, int dot, BlockScale x)
    {
        float less = Rounded.Fma(Rounded.Multiply(-dmin, minimum), x.Sum, sum);
        return Rounded.Fma(Rounded.Multiply(d, x.Scale), scale * dot, less);
    }

    internal static float Decode(Quad scales, int super, int group, int number) =>
        Rounded.Add(
            Rounded.Multiply(Rounded.Multiply(DeviceMath.HalfToSingle(super & 0xFFFF), Scale(scales, group)), number),
            -Rounded.Multiply(DeviceMath.HalfToSingle((super >> 16) & 0xFFFF), Minimum(scales, group)));
}
