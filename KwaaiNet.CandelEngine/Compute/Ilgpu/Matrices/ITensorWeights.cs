using KwaaiNet.CandelEngine.Compute.Ilgpu.Arithmetic;
using KwaaiNet.CandelEngine.Compute.Ilgpu.Cuda;

namespace KwaaiNet.CandelEngine.Compute.Ilgpu.Matrices;

/// <summary>Weights that tensor cores multiply: a tile of 32 rows as two of 16, by tiles of eight operand rows.</summary>
/// <remarks>Lane 4g + i holds rows g, g + 8, g + 16 and g + 24 of the tile, and of the sums columns 2i and 2i + 1: see <see cref="TensorCores"/>.</remarks>
internal interface ITensorWeights : ITileWeights
{
    /// <summary>What four blocks of the lane's four rows have once a row: scales.</summary>
    /// <param name="tile">The tile.</param>
    /// <param name="four">The four blocks: a block's number, over four.</param>
    /// <param name="lane">The lane.</param>
    RowScales LoadScales(int tile, int four, int lane);

    /// <summary>A block of the tile.</summary>
    /// <param name="tile">The tile.</param>
    /// <param name="block">The block.</param>
    /// <param name="lane">The lane.</param>
    /// <param name="scales">The scales of the four blocks it is one of.</param>
    /// <param name="index">Which one.</param>
    WeightBlock LoadBlock(int tile, int block, int lane, RowScales scales, int index);

    /// <summary>A block of eight operand rows.</summary>
    /// <param name="x">The operand.</param>
    /// <param name="at">The block of the first row.</param>
    /// <param name="lane">The lane.</param>
    OperandBlock LoadOperand(Operand x, int at, int lane);

    /// <summary>Adds the terms of a block to the sums of 16 rows and eight columns.</summary>
    Sums Add(Sums sums, HalfBlock weights, OperandBlock x);
}
