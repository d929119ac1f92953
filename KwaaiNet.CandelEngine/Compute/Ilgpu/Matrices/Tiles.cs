using KwaaiNet.CandelEngine.Compute.Ilgpu.Arithmetic;

namespace KwaaiNet.CandelEngine.Compute.Ilgpu.Matrices;

/// <summary>Where the parts of a matrix in tiles of 32 rows lie.</summary>
internal static class Tiles
{
    /// <summary>Rows of a tile.</summary>
    internal const int Rows = 32;

    internal static int Count(int rows) => (rows + Rows - 1) / Rows;

    /// <summary>A row's place among the 32 of its tile.</summary>
    internal static int Slot(int row) => ((row & 7) << 2) | ((row >> 3) & 3);

    /// <summary>The place of a tile's block of a slot (or lane), <c>[tile, block, 32]</c>.</summary>
    internal static int At(int row, int block, int blocks, int slot) => ((((row >> 5) * blocks) + block) << 5) | slot;

    /// <summary>The word of a row: component of the lane's quad.</summary>
    internal static int Pick(Quad quad, int row)
    {
        int q = (row >> 3) & 3;
        int low = (q & 1) == 0 ? quad.X : quad.Y;
        int high = (q & 1) == 0 ? quad.Z : quad.W;
        return q < 2 ? low : high;
    }

    /// <summary>The first lane that holds a row.</summary>
    internal static int Lane(int row) => (row & 7) << 2;
}
