using ILGPU;
using ILGPU.Runtime;
using KwaaiNet.CandelEngine.Compute.Blocks;

namespace KwaaiNet.CandelEngine.Compute.Ilgpu.Steps;

/// <summary>
/// What the rows of a step are, written on the host and sent to the device in one copy, so that launches have the same arguments
/// step after step.
/// </summary>
/// <remarks>
/// 32-bit words, for a step of r rows:
/// <code>
/// tokens     [r]
/// head rows  [r]                       which rows want logits; the first ones count
/// records    [r, 4 + angles]           position, start of the session's table, its stride from block to block, 1 to round; then the angles, float32
/// </code>
/// </remarks>
internal sealed class StepBuffer : IDisposable
{
    private readonly PageLockedArray1D<int> _host;
    private readonly MemoryBuffer1D<int, Stride1D.Dense> _device;
    private readonly ArrayView<int> _tables;
    private readonly int _recordLength;
    private readonly float[] _angles;
    private int _rows;

    /// <param name="accelerator">The device.</param>
    /// <param name="rows">Rows of a step at most.</param>
    /// <param name="angles">Numbers in one position's angles.</param>
    /// <param name="tables">Every session's table of pages.</param>
    internal StepBuffer(Accelerator accelerator, int rows, int angles, ArrayView<int> tables)
    {
        _recordLength = StepView.HeadWords + angles;
        _angles = new float[angles];
        _tables = tables;
        int words = checked((int)Words(rows, angles));
        _host = accelerator.AllocatePageLocked1D<int>(words);
        _device = accelerator.Allocate1D<int>(words);
    }

    /// <summary>Tokens, one a row.</summary>
    internal ArrayView<int> Tokens => ((ArrayView<int>)_device.View).SubView(0, _rows);

    /// <summary>Rows whose logits are wanted.</summary>
    internal ArrayView<int> HeadRows => ((ArrayView<int>)_device.View).SubView(_rows, _rows);

    /// <summary>Bytes that a buffer takes on the device.</summary>
    internal static long BytesOf(int rows, int angles) => Words(rows, angles) * sizeof(int);

    /// <summary>The records of rows from one on.</summary>
    internal StepView From(int row)
    {
        int start = (2 * _rows) + (row * _recordLength);
        return new StepView(((ArrayView<int>)_device.View).SubView(start, (_rows - row) * _recordLength), _tables, _recordLength);
    }

    /// <summary>Starts a step: every row takes no position until it is set.</summary>
    internal void Begin(int rows)
    {
        _rows = rows;
        Span<int> words = _host.Span;
        words[..(2 * rows)].Clear();
        for (int row = 0; row < rows; row++) Record(row)[StepView.PositionWord] = -1;
    }

    /// <summary>Sets a row.</summary>
    /// <param name="row">The row.</param>
    /// <param name="position">The position it takes in its session.</param>
    /// <param name="tableStart">Where the session's pages of the stack's first block are among all tables.</param>
    /// <param name="stride">From one block's pages to the next one's.</param>
    /// <param name="boundary">How its hidden states are rounded between blocks.</param>
    /// <param name="token">Its token; anything where it starts from hidden states.</param>
    /// <param name="rope">The model's angles.</param>
    internal void Set(int row, int position, int tableStart, int stride, HiddenFormat boundary, int token, RopeAngles rope)
    {
        _host.Span[row] = token;
        Span<int> record = Record(row);
        record[StepView.PositionWord] = position;
        record[StepView.TableWord] = tableStart;
        record[StepView.StrideWord] = stride;
        record[StepView.RoundWord] = boundary == HiddenFormat.F16 ? 1 : 0;
        rope.Write(position, _angles);
        for (int i = 0; i < _angles.Length; i++) record[StepView.HeadWords + i] = BitConverter.SingleToInt32Bits(_angles[i]);
    }

    /// <summary>Names the n-th row whose logits are wanted.</summary>
    internal void SetHeadRow(int n, int row) => _host.Span[_rows + n] = row;

    /// <summary>Sends the step to the device.</summary>
    internal void Send(AcceleratorStream stream)
    {
        int length = (2 * _rows) + (_rows * _recordLength);
        ((ArrayView<int>)_device.View).SubView(0, length).CopyFrom(stream, _host.ArrayView.SubView(0, length));
    }

    /// <summary>Sends the rows whose logits are wanted again, for the next ones.</summary>
    internal void SendHeadRows(AcceleratorStream stream) => HeadRows.CopyFrom(stream, _host.ArrayView.SubView(_rows, _rows));

    public void Dispose()
    {
        _device.Dispose();
        _host.Dispose();
    }

    private static long Words(int rows, int angles) => rows * (2L + StepView.HeadWords + angles);

    private Span<int> Record(int row) => _host.Span.Slice((2 * _rows) + (row * _recordLength), _recordLength);
}
