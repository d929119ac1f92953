using ILGPU;
using KwaaiNet.CandelEngine.Compute.Ilgpu.Arithmetic;

namespace KwaaiNet.CandelEngine.Compute.Ilgpu.Matrices;

/// <summary>Where a product goes, and what is done to it on the way: a kernel argument.</summary>
internal readonly struct Product
{
    /// <summary>The result, <c>[rows, Stride]</c>.</summary>
    internal readonly ArrayView<float> Y;

    /// <summary>Added to every row; empty for none. Indexed as a row of the result.</summary>
    internal readonly ArrayView<float> Bias;

    /// <summary>Numbers in a row of the result.</summary>
    internal readonly int Stride;

    /// <summary>Where the matrix's first output goes in a row.</summary>
    internal readonly int First;

    /// <summary>Outputs of the matrix.</summary>
    internal readonly int Outputs;

    /// <summary>1 where <see cref="Bias"/> is there.</summary>
    internal readonly int HasBias;

    /// <summary>1 where the product is added to what is there.</summary>
    internal readonly int Adds;

    /// <summary>What the product is multiplied by before it is added.</summary>
    internal readonly float Scale;

    internal Product(ArrayView<float> y, int stride, ArrayView<float>? bias, bool adds, float scale)
    {
        Y = y;
        Stride = stride;
        First = 0;
        Outputs = stride;
        Bias = bias ?? y;
        HasBias = bias is null ? 0 : 1;
        Adds = adds ? 1 : 0;
        Scale = scale;
    }

    private Product(in Product whole, int first, int outputs)
    {
        this = whole;
        First = first;
        Outputs = outputs;
    }

    /// <summary>The part that one of several stacked matrices computes.</summary>
    internal Product Part(int first, int outputs) => new(this, first, outputs);

    /// <summary>Writes one result, or adds it.</summary>
    internal void Write(int row, int output, float sum)
    {
        int column = First + output;
        int at = (row * Stride) + column;
        float value = HasBias != 0 ? Rounded.Add(sum, Bias[column]) : sum;
        Y[at] = Adds != 0 ? Rounded.Fma(Scale, value, Y[at]) : value;
    }
}
