namespace KwaaiNet.CandelEngine.Compute.Ilgpu.Matrices;

/// <summary>
/// The one order in which every kernel of every device adds up a product of a weight row and an operand row, so that a result does not
/// depend on which kernel ran: the canonical order.
/// </summary>
/// <remarks>
/// <code>
/// A row's blocks of 32 columns are cut into 16 segments, one behind the other: Length(blocks) blocks each, the last ones fewer or none.
/// sum[s] = 0;  for each block of segment s, in order:  sum[s] = term(block) + sum[s]
/// total  = 0;  for s = 0 … 15:  total = total + sum[s]
/// </code>
/// Sixteen, because a group of as many warps has enough loads under way even where a matrix has no more tiles than the device has
/// multiprocessors. Integers inside a block are added exactly, in any order. Segments are whole super-blocks of 256 where a row has no others, whatever
/// its type, so that one cut serves all matrices on the same operand.
/// </remarks>
internal static class Segments
{
    /// <summary>Segments in a row.</summary>
    internal const int Count = 16;

    /// <summary>Columns of a block.</summary>
    internal const int BlockLength = 32;

    /// <summary>Blocks of a row; the last may be ragged, and is then filled up with zeros.</summary>
    internal static int Blocks(int columns) => (columns + BlockLength - 1) / BlockLength;

    /// <summary>Blocks of a full segment.</summary>
    /// <remarks>Shifts, since kernels compute it too: a sixteenth, of whole super-blocks where the row has no others.</remarks>
    internal static int Length(int blocks) => (blocks & 7) == 0 ? ((blocks + 127) >> 7) << 3 : (blocks + 15) >> 4;
}
