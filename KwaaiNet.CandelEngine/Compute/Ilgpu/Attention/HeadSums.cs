using KwaaiNet.CandelEngine.Compute.Ilgpu.Arithmetic;

namespace KwaaiNet.CandelEngine.Compute.Ilgpu.Attention;

/// <summary>Four numbers for each of four heads: a lane's part of what a warp gathers.</summary>
internal struct HeadSums
{
    internal Four A;
    internal Four B;
    internal Four C;
    internal Four D;

    /// <summary>All zero.</summary>
    internal static HeadSums None
    {
        get
        {
            HeadSums none;
            none.A = Four.Of(0);
            none.B = none.A;
            none.C = none.A;
            none.D = none.A;
            return none;
        }
    }

    /// <summary>Each head's numbers times its factor.</summary>
    internal readonly HeadSums Shrunk(Four factors)
    {
        HeadSums shrunk;
        shrunk.A = Times(A, factors.X);
        shrunk.B = Times(B, factors.Y);
        shrunk.C = Times(C, factors.Z);
        shrunk.D = Times(D, factors.W);
        return shrunk;
    }

    /// <summary>Each head's weight times the same four numbers, added.</summary>
    internal readonly HeadSums Plus(Four weights, Four numbers)
    {
        HeadSums sums;
        sums.A = Fma(weights.X, numbers, A);
        sums.B = Fma(weights.Y, numbers, B);
        sums.C = Fma(weights.Z, numbers, C);
        sums.D = Fma(weights.W, numbers, D);
        return sums;
    }

    internal static Four Times(Four a, float factor)
    {
        Four product;
        product.X = Rounded.Multiply(a.X, factor);
        product.Y = Rounded.Multiply(a.Y, factor);
        product.Z = Rounded.Multiply(a.Z, factor);
        product.W = Rounded.Multiply(a.W, factor);
        return product;
    }

    internal static Four Fma(float factor, Four a, Four b)
    {
        Four sum;
        sum.X = Rounded.Fma(factor, a.X, b.X);
        sum.Y = Rounded.Fma(factor, a.Y, b.Y);
        sum.Z = Rounded.Fma(factor, a.Z, b.Z);
        sum.W = Rounded.Fma(factor, a.W, b.W);
        return sum;
    }

    /// <summary>Products of four neighbours, added to a sum one after the other.</summary>
    internal static float Dot(Four a, Four b, float sum)
    {
        sum = Rounded.Fma(a.X, b.X, sum);
        sum = Rounded.Fma(a.Y, b.Y, sum);
        sum = Rounded.Fma(a.Z, b.Z, sum);
        return Rounded.Fma(a.W, b.W, sum);
    }
}
