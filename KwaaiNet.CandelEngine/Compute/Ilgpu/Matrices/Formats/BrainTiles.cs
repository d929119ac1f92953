using ILGPU;
using KwaaiNet.CandelEngine.Compute.Ilgpu.Cuda;

namespace KwaaiNet.CandelEngine.Compute.Ilgpu.Matrices.Formats;

/// <summary>Bfloat16 in tiles, as <see cref="HalfTiles"/>.</summary>
internal readonly struct BrainTiles : ITileWeights
{
    internal readonly ArrayView<Quad> Quads;
    internal readonly int Blocks;

    internal BrainTiles(ArrayView<Quad> quads, int blocks)
    {
        Quads = quads;
        Blocks = blocks;
    }

    public float AddBlock(float sum, int row, int block, Operand x, int at)
    {
        for (int c = 0; c < Segments.BlockLength; c++)
        {
            float weight = Element(row, (block * Segments.BlockLength) + c);
            sum = Rounded.Fma(weight, TwoTerms.BrainToSingle(x.Brains[(64 * at) + c]), sum);
            sum = Rounded.Fma(weight, TwoTerms.BrainToSingle(x.Brains[(64 * at) + 32 + c]), sum);
        }

        return sum;
    }

    public float Element(int row, int column) => TwoTerms.BrainToSingle(
        HalfTiles.Bits(Quads[HalfTiles.QuadAt(row, column >> 5, Blocks, Tiles.Lane(row) | ((column >> 3) & 3))], column));
}
