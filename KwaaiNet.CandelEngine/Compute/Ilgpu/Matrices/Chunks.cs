namespace KwaaiNet.CandelEngine.Compute.Ilgpu.Matrices;

/// <summary>Where what is once a row and block lies: eight blocks of a row together, so that one 128-bit load has the scales of eight.</summary>
internal static class Chunks
{
    /// <summary>Blocks of a chunk: a super-block of the K types.</summary>
    internal const int Blocks = 8;

    internal static int Count(int blocks) => (blocks + Blocks - 1) / Blocks;

    /// <summary>The place of a row's chunk, <c>[tile, chunk, slot]</c>.</summary>
    internal static int Of(int row, int chunk, int blocks) => ((((row >> 5) * Count(blocks)) + chunk) << 5) | Tiles.Slot(row);

    /// <summary>The place of a row's block, <c>[tile, chunk, slot, 8]</c>.</summary>
    internal static int At(int row, int block, int blocks) => (Of(row, block >> 3, blocks) << 3) | (block & 7);
}
