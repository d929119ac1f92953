using ILGPU;
using KwaaiNet.CandelEngine.Compute.Ilgpu.Arithmetic;

namespace KwaaiNet.CandelEngine.Compute.Ilgpu.Norms;

/// <summary>The one order in which every kernel adds up a row's squares.</summary>
/// <remarks>
/// 256 chains: chain c has columns 4(c + 256n) … + 3, n = 0, 1 …, in that order. Chains 32w … 32w + 31 are added as the lanes of a
/// warp (16 apart, then 8, 4, 2, 1), and the 8 results w in the same way (4 apart, then 2, 1).
/// </remarks>
internal static class SquareSum
{
    /// <summary>Chains added as lanes of a warp.</summary>
    internal const int Lanes = 32;

    /// <summary>Warps of chains.</summary>
    internal const int Warps = 8;

    private const int Together = 4;

    /// <summary>One chain of a row.</summary>
    internal static float Chain(ArrayView<float> x, int width, int chain)
    {
        float sum = 0;
        int column = chain * Together;
        for (; column + 3 < width; column += Lanes * Warps * Together)
        {
            float a = x[column];
            float b = x[column + 1];
            float c = x[column + 2];
            float d = x[column + 3];
            sum = Rounded.Fma(a, a, sum);
            sum = Rounded.Fma(b, b, sum);
            sum = Rounded.Fma(c, c, sum);
            sum = Rounded.Fma(d, d, sum);
        }

        for (; column < width && column % Together != 3; column++) sum = Rounded.Fma(x[column], x[column], sum);
        return sum;
    }

    /// <summary>The eight warps' sums, added.</summary>
    internal static float OfWarps(float a, float b, float c, float d, float e, float f, float g, float h)
    {
        float ae = Rounded.Add(a, e);
        float bf = Rounded.Add(b, f);
        float cg = Rounded.Add(c, g);
        float dh = Rounded.Add(d, h);
        return Rounded.Add(Rounded.Add(ae, cg), Rounded.Add(bf, dh));
    }

    /// <summary>What the numbers of a row are multiplied by: <c>1 / √(sum / width + ε)</c>.</summary>
    internal static float Scale(float sum, int width, float epsilon) => 1f / MathF.Sqrt(Rounded.Add(sum / width, epsilon));
}
