using ILGPU;
using KwaaiNet.CandelEngine.Compute.Ilgpu.Cuda;

namespace KwaaiNet.CandelEngine.Compute.Ilgpu.Matrices.Formats;

/// <summary>float32 in tiles: for each block, and each four columns of it, a quad of a row, 32 rows in the order of <see cref="Tiles.Slot"/>.</summary>
internal readonly struct SingleTiles : ITileWeights
{
    internal readonly ArrayView<Quad> Quads;
    internal readonly int Blocks;

    internal SingleTiles(ArrayView<Quad> quads, int blocks)
    {
        Quads = quads;
        Blocks = blocks;
    }

    /// <summary>The place of a quad, <c>[tile, block, four columns, slot]</c>.</summary>
    internal static int QuadAt(int row, int block, int blocks, int four) => ((((row >> 5) * blocks) + block) << 8) | (four << 5) | Tiles.Slot(row);

    public float AddBlock(float sum, int row, int block, Operand x, int at)
    {
        for (int c = 0; c < Segments.BlockLength; c++)
            sum = Rounded.Fma(Element(row, (block * Segments.BlockLength) + c), x.Singles[(32 * at) + c], sum);
        return sum;
    }

    public float Element(int row, int column)
    {
        Quad quad = Quads[QuadAt(row, column >> 5, Blocks, (column >> 2) & 7)];
        int low = (column & 1) == 0 ? quad.X : quad.Y;
        int high = (column & 1) == 0 ? quad.Z : quad.W;
        return Interop.IntAsFloat((uint)((column & 2) == 0 ? low : high));
    }
}
