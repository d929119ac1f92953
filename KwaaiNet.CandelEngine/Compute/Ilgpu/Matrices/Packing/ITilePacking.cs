namespace KwaaiNet.CandelEngine.Compute.Ilgpu.Matrices.Packing;

/// <summary>How rows as a file stores them become tiles: host code beside the device code of <typeparamref name="TWeights"/>.</summary>
internal unsafe interface ITilePacking<TWeights>
    where TWeights : struct, ITileWeights
{
    /// <summary>Bytes that a tile has in each plane, each a multiple of 16.</summary>
    /// <param name="blocks">Blocks of a row.</param>
    static abstract int[] PlaneBytes(int blocks);

    /// <summary>Packs one row. The planes were cleared before the tile's first one.</summary>
    /// <param name="row">The row's first byte.</param>
    /// <param name="columns">Numbers in it.</param>
    /// <param name="r">The row's number in its tile.</param>
    /// <param name="planes">The tile's planes, one behind the other.</param>
    static abstract void PackRow(byte* row, int columns, int r, in TilePlanes planes);

    /// <summary>The weights that lie in a buffer.</summary>
    static abstract TWeights Bind(in DevicePlanes planes, int blocks);
}
