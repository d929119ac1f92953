using KwaaiNet.CandelEngine.Compute.Ilgpu.Arithmetic;

namespace KwaaiNet.CandelEngine.Compute.Ilgpu.Matrices;

/// <summary>Where what is once a row and block lies: eight blocks of a row together, so that one 128-bit load has the scales of eight.</summary>
internal static class Chunks
{
    /// <summary>Blocks of a chunk: a super-block of the K types.</summary>
    internal const int Blocks = 8;

    internal static int Count(int blocks) => (blocks + Blocks - 1) / Blocks;

    /// <summary>The place of a row's chunk, <c>[tile, chunk, slot]</c>.</summary>
    internal static int Of(int row, int chunk, int blocks) => ((((row >> 5) * Count(blocks)) + chunk) << 5) | Tiles.Slot(row);

    /// <summary>One of the eight 16-bit values of a chunk.</summary>
    internal static int Half(Quad halves, int index)
    {
        int low = index < 2 ? halves.X : halves.Y;
        int high = index < 6 ? halves.Z : halves.W;
        return ((index < 4 ? low : high) >> (16 * (index & 1))) & 0xFFFF;
    }

    /// <summary>The half of a chunk that four blocks have.</summary>
    internal static Duo Four(Quad quad, int four)
    {
        Duo half;
        half.X = (four & 1) == 0 ? quad.X : quad.Z;
        half.Y = (four & 1) == 0 ? quad.Y : quad.W;
        return half;
    }

    /// <summary>One of the four 16-bit values of a half.</summary>
    internal static int Half(Duo halves, int index) => ((index < 2 ? halves.X : halves.Y) >> (16 * (index & 1))) & 0xFFFF;
}
