using ILGPU;

namespace KwaaiNet.CandelEngine.Compute.Ilgpu.Matrices.Launches;

/// <summary>Launches the products of weights of one format by one kind of kernel.</summary>
internal interface IProducts<TWeights>
    where TWeights : struct, ITileWeights
{
    /// <summary>Multiplies rows of an operand.</summary>
    void Multiply(TWeights weights, Operand x, int rows, Product y);

    /// <summary>Whether <see cref="Gate"/> is there.</summary>
    bool Gates { get; }

    /// <summary>Numbers of scratch that <see cref="Gate"/> needs for rows of so many outputs.</summary>
    long GateScratch(int rows, int width);

    /// <summary>Multiplies rows of an operand by gate and up projection, and writes what the gate lets through.</summary>
    void Gate(TWeights gate, TWeights up, Operand x, int rows, ArrayView<float>? bias, int activation, ArrayView<float> scratch, Operand y);
}
