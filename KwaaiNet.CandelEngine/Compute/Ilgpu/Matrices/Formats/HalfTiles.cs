using ILGPU;
using KwaaiNet.CandelEngine.Compute.Ilgpu.Cuda;

namespace KwaaiNet.CandelEngine.Compute.Ilgpu.Matrices.Formats;

/// <summary>Binary16 in tiles: for each block, and each of a lane's four rows, a quad of the eight columns 8i … 8i+7, 32 lanes.</summary>
internal readonly struct HalfTiles : ITileWeights
{
    internal readonly ArrayView<Quad> Quads;
    internal readonly int Blocks;

    internal HalfTiles(ArrayView<Quad> quads, int blocks)
    {
        Quads = quads;
        Blocks = blocks;
    }

    /// <summary>The place of a quad, <c>[tile, block, row of the lane, lane]</c>.</summary>
    internal static int QuadAt(int row, int block, int blocks, int lane) =>
        ((((row >> 5) * blocks) + block) << 7) | (((row >> 3) & 3) << 5) | lane;

    internal static int Bits(Quad quad, int column)
    {
        int low = (column & 2) == 0 ? quad.X : quad.Y;
        int high = (column & 2) == 0 ? quad.Z : quad.W;
        return (((column & 4) == 0 ? low : high) >> (16 * (column & 1))) & 0xFFFF;
    }

    public float AddBlock(float sum, int row, int block, Operand x, int at)
    {
        for (int c = 0; c < Segments.BlockLength; c++)
        {
            float weight = Element(row, (block * Segments.BlockLength) + c);
            sum = Rounded.Fma(weight, DeviceMath.HalfToSingle(x.Halves[(64 * at) + c]), sum);
            sum = Rounded.Fma(weight, DeviceMath.HalfToSingle(x.Halves[(64 * at) + 32 + c]), sum);
        }

        return sum;
    }

    public float Element(int row, int column) =>
        DeviceMath.HalfToSingle(Bits(Quads[QuadAt(row, column >> 5, Blocks, Tiles.Lane(row) | ((column >> 3) & 3))], column));
}
