namespace KwaaiNet.CandelEngine.Compute.Ilgpu.Matrices;

/// <summary>
/// The one order in which every kernel of every device adds up a product of a weight row and an operand row, so that a result does not
/// depend on which kernel ran: the canonical order.
/// </summary>
/// <remarks>
/// <code>
/// A row's blocks of 32 columns are cut into 8 segments, one behind the other: Length(blocks) blocks each, the last ones fewer or none.
/// sum[s] = 0;  for each block of segment s, in order:  sum[s] = term(block) + sum[s]
/// total  = 0;  for s = 0 … 7:  total = total + sum[s]
/// </code>
/// Integers inside a block are added exactly, in any order. Segments are whole super-blocks of 256 where a row has no others, whatever
/// its type, so that one cut serves all matrices on the same operand.
/// </remarks>
internal static class Segments
{
    /// <summary>Segments in a row.</summary>
    internal const int Count = 8;

    /// <summary>Columns of a block.</summary>
    internal const int BlockLength = 32;

    // Blocks of a super-block of 256.
    private const int SuperBlocks = 8;

    /// <summary>Blocks of a row; the last may be ragged, and is then filled up with zeros.</summary>
    internal static int Blocks(int columns) => (columns + BlockLength - 1) / BlockLength;

    /// <summary>Blocks of a full segment.</summary>
    internal static int Length(int blocks) =>
        blocks % SuperBlocks == 0 ? (blocks + (SuperBlocks * Count) - 1) / (SuperBlocks * Count) * SuperBlocks : (blocks + Count - 1) / Count;
}
