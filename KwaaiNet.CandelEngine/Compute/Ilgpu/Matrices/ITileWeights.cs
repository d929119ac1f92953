namespace KwaaiNet.CandelEngine.Compute.Ilgpu.Matrices;

/// <summary>A weight matrix of one storage type on the device, repacked in tiles of 32 rows.</summary>
/// <remarks>
/// A lane of a warp and a word of it belong together as tensor cores have it: of a tile, lane <c>4r + i</c> holds of each of the rows
/// <c>r, r + 8, r + 16, r + 24</c> the columns <c>4i … 4i+3</c> and <c>16+4i … 16+4i+3</c> of a block of 32. One 128-bit load of every
/// lane is one contiguous piece, and a warp that walks over a segment's blocks walks over contiguous memory. What is once a row and
/// block lies in the order of <see cref="Tiles.Slot"/>.
/// </remarks>
internal interface ITileWeights
{
    /// <summary>Adds the term of one block to a segment's sum, by the definition: see <see cref="Segments"/>.</summary>
    /// <param name="sum">The sum so far.</param>
    /// <param name="row">The weight row.</param>
    /// <param name="block">The block of 32 columns.</param>
    /// <param name="x">The operand.</param>
    /// <param name="at">The operand's block, <see cref="Operand.At"/>.</param>
    float AddBlock(float sum, int row, int block, Operand x, int at);

    /// <summary>One weight.</summary>
    float Element(int row, int column);
}
