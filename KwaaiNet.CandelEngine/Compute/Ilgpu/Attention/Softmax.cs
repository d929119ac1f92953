using KwaaiNet.CandelEngine.Compute.Ilgpu.Arithmetic;

namespace KwaaiNet.CandelEngine.Compute.Ilgpu.Attention;

/// <summary>The steps of softmax that attention's kernels share. A plain maximum: of a number and a NaN it is the same on every device.</summary>
internal static class Softmax
{
    internal static float Max(float a, float b) => a > b ? a : b;

    internal static Four Max(Four a, Four b)
    {
        Four most;
        most.X = Max(a.X, b.X);
        most.Y = Max(a.Y, b.Y);
        most.Z = Max(a.Z, b.Z);
        most.W = Max(a.W, b.W);
        return most;
    }

    /// <summary>A score from a product.</summary>
    internal static float Score(float product, AttentionShape shape)
    {
        float score = Rounded.Multiply(product, shape.Scale);
        return shape.Softcap > 0 ? DeviceMath.Softcap(score, shape.Softcap) : score;
    }

    /// <summary><c>e^(a − b)</c>: what sums under maximum a are worth under maximum b.</summary>
    internal static float Weight(float a, float b) => DeviceMath.Exp(Rounded.Add(a, -b));

    internal static Four Weight(Four a, Four b)
    {
        Four weights;
        weights.X = Weight(a.X, b.X);
        weights.Y = Weight(a.Y, b.Y);
        weights.Z = Weight(a.Z, b.Z);
        weights.W = Weight(a.W, b.W);
        return weights;
    }

    /// <summary>Sums under one maximum and sums under another, each times what it is worth under the greater.</summary>
    internal static float Fold(float sum, float kept, float other, float added) => Rounded.Fma(kept, sum, Rounded.Multiply(other, added));

    internal static Four Fold(Four sums, float kept, Four others, float added) => HeadSums.Fma(kept, sums, HeadSums.Times(others, added));
}
