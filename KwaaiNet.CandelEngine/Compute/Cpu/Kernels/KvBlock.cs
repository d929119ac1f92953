namespace KwaaiNet.CandelEngine.Compute.Cpu.Kernels;

/// <summary>Keys and values of one session for one block, in pages.</summary>
/// <remarks>
/// A page holds <c>key [KvHeads, positions, HeadSize]</c> and then <c>value</c> of the same shape, so that one head's keys lie
/// side by side. Pages hold <see cref="PagePositions"/> positions; the last one of a session holds what is left of its capacity,
/// so that a cache takes exactly what it is accounted for.
/// </remarks>
/// <param name="Pages">Addresses of the pages of all blocks.</param>
/// <param name="FirstPage">Where the pages of this block start.</param>
/// <param name="Capacity">Positions of the session.</param>
/// <param name="KvHeads">Key and value heads.</param>
/// <param name="HeadSize">Numbers in a head.</param>
internal readonly unsafe record struct KvBlock(nint[] Pages, int FirstPage, int Capacity, int KvHeads, int HeadSize)
{
    internal const int PagePositions = 64;

    /// <summary>Positions that a page holds.</summary>
    internal static int PositionsIn(int page, int capacity) => Math.Min(PagePositions, capacity - (page * PagePositions));

    /// <summary>Numbers between a head's first key in a page and its first value there.</summary>
    internal long ValueOffset(int page) => (long)KvHeads * PositionsIn(page, Capacity) * HeadSize;

    /// <summary>A head's keys in a page, <c>[positions, HeadSize]</c>.</summary>
    internal float* Keys(int page, int head) =>
        (float*)Pages[FirstPage + page] + ((long)head * PositionsIn(page, Capacity) * HeadSize);

    internal float* Key(int position, int head) =>
        Keys(position / PagePositions, head) + ((long)(position % PagePositions) * HeadSize);

    internal float* Value(int position, int head) => Key(position, head) + ValueOffset(position / PagePositions);
}
