using ILGPU;

namespace KwaaiNet.CandelEngine.Compute.Ilgpu;

/// <summary>A matrix of weights on the device, in the bytes the file has; kernels decode as they read.</summary>
/// <remarks>Rows are reached with 64-bit offsets, since a vocabulary's matrix may exceed 2^31 bytes; inside a row indices are 32-bit.</remarks>
internal interface IDeviceWeights
{
    /// <summary><c>Σ_c w[row, c] · x[c]</c>, c ascending in four interleaved sums.</summary>
    /// <param name="row">The row.</param>
    /// <param name="columns">Numbers in a row.</param>
    /// <param name="x">A row of activations.</param>
    float Dot(int row, int columns, ArrayView<float> x);

    /// <summary>One weight.</summary>
    float Element(int row, int column, int columns);
}
