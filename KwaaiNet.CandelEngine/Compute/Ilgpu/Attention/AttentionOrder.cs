namespace KwaaiNet.CandelEngine.Compute.Ilgpu.Attention;

/// <summary>
/// The one order in which every kernel adds up attention, so that a row's result depends on its own position and on nothing beside it:
/// not on the rows in the batch, and not on how many groups of threads the work was spread over.
/// </summary>
/// <remarks>
/// Positions lie in pages of 32. The pages that a row sees, from the first one of its window, are cut into units of
/// <see cref="PagesInUnit"/> pages, and 8 units are a split.
/// <code>
/// page    scores of 32 positions; m' = max(m, scores); weights w = e^(score − m');
///         l = l·e^(m − m') + tree(w), a = a·e^(m − m'), then a += w·v for each position in order
/// unit    its pages in order, from m = −∞, l = 0, a = 0
/// split   from M = −∞, L = 0, A = 0, units in order:  M' = max(M, m);  L = L·e^(M − M') + l·e^(m − M'), A likewise
/// row     splits in order, in the same way;  the result is A / L
/// </code>
/// tree(w) adds lanes 16 apart, then 8, 4, 2 and 1. Every <c>a · b + c</c> is one operation where the device has it.
/// Source: Milakov and Gimelshein, "Online normalizer calculation for softmax", arXiv:1805.02867.
/// </remarks>
internal readonly struct AttentionOrder
{
    /// <summary>Positions of a page: the lanes of a warp.</summary>
    internal const int PagePositions = 32;

    /// <summary>Units of a split.</summary>
    internal const int Units = 8;

    /// <summary>Splits that a row has at most: units grow with the context.</summary>
    internal const int MostSplits = 32;

    /// <summary>Query heads that a group of threads takes on together.</summary>
    internal const int TileHeads = 4;

    /// <summary>First position seen.</summary>
    internal readonly int First;

    /// <summary>First page seen.</summary>
    internal readonly int FirstPage;

    /// <summary>Pages seen.</summary>
    internal readonly int Pages;

    /// <summary>Pages of a unit, a power of two.</summary>
    internal readonly int PagesInUnit;

    /// <summary>Splits.</summary>
    internal readonly int Splits;

    /// <param name="position">The row's position.</param>
    /// <param name="window">Positions seen, the own one included; 0 for all.</param>
    internal AttentionOrder(int position, int window)
    {
        int first = window > 0 && position >= window ? position - window + 1 : 0;
        First = first;
        FirstPage = first / PagePositions;
        Pages = (position / PagePositions) - FirstPage + 1;
        int pages = 1;
        while (pages * Units * MostSplits < Pages) pages *= 2;
        PagesInUnit = pages;
        Splits = (Pages + (pages * Units) - 1) / (pages * Units);
    }

    /// <summary>Splits that a row may have in a context.</summary>
    internal static int SplitsOf(int context) => Math.Min(MostSplits, (context + (PagePositions * Units) - 1) / (PagePositions * Units));

    /// <summary>Units of a split that have pages.</summary>
    internal int UnitsOf(int split)
    {
        int left = (Pages - (split * Units * PagesInUnit) + PagesInUnit - 1) / PagesInUnit;
        return left < Units ? left : Units;
    }
}
