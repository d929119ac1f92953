namespace KwaaiNet.CandelEngine.Compute.Ilgpu.Matrices;

/// <summary>Weights whose product with one operand row a warp computes: 32 rows of a tile, of which a lane gets the one whose <see cref="Tiles.Slot"/> it is.</summary>
internal interface IVectorWeights : ITileWeights
{
    /// <summary>Adds the terms of eight blocks, of which the first is a multiple of eight, to the sum of the lane's row.</summary>
    /// <param name="sum">The sum so far.</param>
    /// <param name="tile">The tile.</param>
    /// <param name="block">The first block.</param>
    /// <param name="lane">The lane.</param>
    /// <param name="x">The operand.</param>
    /// <param name="at">The operand's first block.</param>
    /// <param name="stride">From one of its blocks to the next.</param>
    float AddChunk(float sum, int tile, int block, int lane, Operand x, int at, int stride);

    /// <summary>Adds the term of one block; never called for types whose rows are whole super-blocks.</summary>
    float AddSingle(float sum, int tile, int block, int lane, Operand x, int at);
}
