using ILGPU;

namespace KwaaiNet.CandelEngine.Compute.Ilgpu.Steps;

/// <summary>What a step's rows are, on the device: a kernel argument that is the same for every step of so many rows. </summary>
internal readonly struct StepView
{
    // What a row's record starts with; its angles follow.
    internal const int PositionWord = 0;
    internal const int TableWord = 1;
    internal const int StrideWord = 2;
    internal const int RoundWord = 3;
    internal const int HeadWords = 4;

    private readonly ArrayView<int> _records;
    private readonly ArrayView<int> _pages;
    private readonly int _length;

    /// <param name="records">The rows' records, from the first row on.</param>
    /// <param name="pages">Every session's table of pages.</param>
    /// <param name="length">Words of a record.</param>
    internal StepView(ArrayView<int> records, ArrayView<int> pages, int length)
    {
        _records = records;
        _pages = pages;
        _length = length;
    }

    /// <summary>The position a row takes in its session; negative for a row that only fills up the batch.</summary>
    internal int Position(int row) => _records[(row * _length) + PositionWord];

    /// <summary>1 when the row's hidden states are rounded to binary16 between blocks, else 0.</summary>
    internal int Rounds(int row) => _records[(row * _length) + RoundWord];

    /// <summary>A page of the row's session.</summary>
    /// <param name="row">The row.</param>
    /// <param name="block">The block, counted in the stack.</param>
    /// <param name="page">The page, counted in the session.</param>
    internal int Page(int row, int block, int page)
    {
        int record = row * _length;
        return _pages[_records[record + TableWord] + (block * _records[record + StrideWord]) + page];
    }

    /// <summary>A number of the row's angles.</summary>
    internal float Angle(int row, int index) => Interop.IntAsFloat((uint)_records[(row * _length) + HeadWords + index]);
}
