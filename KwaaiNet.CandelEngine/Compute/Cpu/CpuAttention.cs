using KwaaiNet.CandelEngine.Compute.Blocks;
using KwaaiNet.CandelEngine.Compute.Cpu.Kernels;
using KwaaiNet.CandelEngine.Compute.Cpu.Kv;
using KwaaiNet.CandelEngine.Compute.Cpu.Matrices;
using KwaaiNet.CandelEngine.Compute.Cpu.Threads;
using KwaaiNet.CandelEngine.Compute.Stacks;
using KwaaiNet.CandelEngine.Models;

namespace KwaaiNet.CandelEngine.Compute.Cpu;

/// <summary>Runs attention: projections, norms and rotation of queries and keys, the session's cache, and the sum of values.</summary>
internal sealed unsafe class CpuAttention : IDisposable
{
    // A position of all heads is most of a microsecond; waking nobody, since the products around it keep the threads looking for work.
    private const int WorthSharingPositions = 16;

    // A row's keys and values take some 10 µs to turn and keep.
    private const int WorthSharingRows = 4;

    private readonly ModelShape _shape;
    private readonly CpuKernels _kernels;
    private readonly ComputePool _pool;
    private readonly MatrixProduct _product;
    private readonly RopeAngles _rope;
    private readonly BlockAttention[] _blocks; // all of the model's
    private readonly float _scale;
    private readonly int _pieceRows;

    private readonly ScratchMatrix _query;
    private readonly ScratchMatrix _key;
    private readonly ScratchMatrix _value;
    private readonly ScratchMatrix _attended;
    private readonly ScratchMatrix _angles;
    private readonly ScratchMatrix _head;

    // The rows that the shared work is about; the delegate is made once so that running allocates nothing.
    private readonly Action<int, int> _attendShare;
    private readonly Action<int, int> _turnAndKeep;
    private readonly PieceRow[] _rows;
    private readonly ScratchMatrix _scratch; // a row a thread
    private KvBlock[] _kv = new KvBlock[4];
    private BlockAttention _attention; // the block's that runs
    private CpuBlock? _weights; // likewise
    private int _anglesOffset;
    private int _firstRow;

    internal CpuAttention(ModelShape shape, RopeAngles rope, CpuKernels kernels, ComputePool pool, MatrixProduct product, int pieceRows)
    {
        _shape = shape;
        _kernels = kernels;
        _pool = pool;
        _product = product;
        _rope = rope;
        _blocks = [.. Enumerable.Range(0, shape.BlockCount).Select(shape.AttentionOf)];
        _scale = shape.AttentionScale;
        _pieceRows = pieceRows;
        _query = new ScratchMatrix(shape.QueryWidth);
        _key = new ScratchMatrix(shape.KvWidth);
        _value = new ScratchMatrix(shape.KvWidth);
        _attended = new ScratchMatrix(shape.QueryWidth);
        _angles = new ScratchMatrix(rope.Length);
        _head = new ScratchMatrix(shape.HeadSize);
        _scratch = new ScratchMatrix(CpuKernels.AttentionScratch(shape.HeadSize));
        _head.Reserve(pool.Threads);
        _rows = new PieceRow[pieceRows];
        _attendShare = AttendShare;
        _turnAndKeep = TurnAndKeep;
    }

    /// <summary>Makes room for rows, and computes the angles of their positions.</summary>
    internal void Enter(ReadOnlySpan<RowRun> runs, int rows)
    {
        _query.Reserve(rows);
        _key.Reserve(rows);
        _value.Reserve(rows);
        _attended.Reserve(rows);
        _angles.Reserve(rows);
        _scratch.Reserve(_pool.Threads);
        if (_kv.Length < runs.Length) _kv = new KvBlock[_pieceRows];

        foreach (ref readonly RowRun run in runs)
        {
            for (int r = 0; r < run.Rows; r++)
                _rope.Write(run.Position + r, new Span<float>(_angles.Row(run.PieceRow + r), _rope.Length));
        }
    }

    /// <summary>Runs attention on the normalised rows of runs that lie side by side; its output goes to the same rows of <paramref name="output"/>.</summary>

    internal void Run(int block, CpuBlock weights, ScratchMatrix input, ReadOnlySpan<RowRun> runs, ScratchMatrix output)
    {
        int first = runs[0].PieceRow;
        int end = runs[^1].PieceRow + runs[^1].Rows;
        _product.Of(input, first, end - first)
            .With(weights.Query, _query, first).With(weights.Key, _key, first).With(weights.Value, _value, first).Run();
        weights.QueryBias.AddTo(_query, first, end);
        weights.KeyBias.AddTo(_key, first, end);
        weights.ValueBias.AddTo(_value, first, end);
        _attention = _blocks[block];
        _weights = weights;
        _anglesOffset = _rope.OffsetOf(block);
        _firstRow = first;
        for (int i = 0; i < runs.Length; i++) Place(block, runs[i], i);
        if (end - first >= WorthSharingRows)
        {
            _pool.For(end - first, _turnAndKeep);
        }
        else
        {
            for (int r = 0; r < end - first; r++) TurnAndKeep(r, 0);
        }

        Attend(first, end - first);
        _product.Of(_attended, first, end - first).With(weights.AttentionOutput, output, first).Run();
        weights.AttentionOutputBias.AddTo(output, first, end);
    }

    /// <summary>Lets go of the sessions' pages.</summary>
    internal void Leave(int runs) => Array.Clear(_kv, 0, runs);

    public void Dispose()
    {
        ScratchMatrix[] matrices = [_query, _key, _value, _attended, _angles, _head, _scratch];
        foreach (ScratchMatrix matrix in matrices) matrix.Dispose();
    }

    // Heads lie side by side without padding; the norm wants a padded row, whose padding is zero.
    private void NormalizeHeads(float* heads, int count, CpuVector norm, float* head)
    {
        if (!norm.IsThere) return;

        int size = _shape.HeadSize;
        Span<float> padded = new(head, _head.Stride);
        for (int i = 0; i < count; i++, heads += size)
        {
            new Span<float>(heads, size).CopyTo(padded);
            padded[size..].Clear();
            _kernels.RmsNorm(head, norm.Data, size, _shape.RmsEpsilon, head);
            padded[..size].CopyTo(new Span<float>(heads, size));
        }
    }

    // Which session and position the rows of a run belong to.
    private void Place(int block, in RowRun run, int runIndex)
    {
        _kv[runIndex] = ((CpuKvCache)run.Cache).Block(block);
        for (int r = 0; r < run.Rows; r++) _rows[run.PieceRow + r] = new PieceRow(runIndex, run.Position + r);
    }

    // Norms and RoPE on a row's queries and keys; then its keys and values go to the session's pages.
    private void TurnAndKeep(int share, int worker)
    {
        int row = _firstRow + share;
        NormalizeHeads(_query.Row(row), _shape.HeadCount, _weights!.QueryNorm, _head.Row(worker));
        NormalizeHeads(_key.Row(row), _shape.KvHeadCount, _weights.KeyNorm, _head.Row(worker));
        if (_anglesOffset >= 0)
        {
            Rotate(_query.Row(row), _shape.HeadCount, _angles.Row(row) + _anglesOffset);
            Rotate(_key.Row(row), _shape.KvHeadCount, _angles.Row(row) + _anglesOffset);
        }

        int headSize = _shape.HeadSize;
        PieceRow at = _rows[row];
        for (int head = 0; head < _shape.KvHeadCount; head++)
            _kv[at.Run].Keep(at.Position, head, _key.Row(row) + (head * headSize), _value.Row(row) + (head * headSize));
    }

    private void Rotate(float* heads, int count, float* angles)
    {
        if (_shape.RopeStyle == RopeStyle.Halves) CpuKernels.RotateHalves(heads, count, _shape.HeadSize, angles, _shape.RopeSize);
        else CpuKernels.RotateNeighbours(heads, count, _shape.HeadSize, angles, _shape.RopeSize);
    }

    // A share is one row and one key/value head, with the query heads that use it.
    private void Attend(int first, int rows)
    {
        _firstRow = first;
        int shares = rows * _shape.KvHeadCount;
        int positions = 0;
        for (int r = first; r < first + rows && positions < WorthSharingPositions; r++)
            positions += _rows[r].Position + 1 - _attention.FirstSeen(_rows[r].Position);
        if (positions >= WorthSharingPositions)
        {
            _pool.For(shares, _attendShare);
            return;
        }

        for (int share = 0; share < shares; share++) AttendShare(share, 0);
    }

    private void AttendShare(int share, int worker)
    {
        int row = _firstRow + (share / _shape.KvHeadCount);
        int kvHead = share % _shape.KvHeadCount;
        int group = _shape.HeadCount / _shape.KvHeadCount;
        PieceRow at = _rows[row];
        AttentionSpan span = new(_attention.FirstSeen(at.Position), at.Position + 1, _scale, _shape.AttentionSoftcap);
        int offset = kvHead * group * _shape.HeadSize;
        _kernels.Attend(_query.Row(row) + offset, group, _kv[at.Run], kvHead, span, _scratch.Row(worker), _attended.Row(row) + offset);
    }

    /// <summary>Which run a row of the piece belongs to, and its position there.</summary>
    private readonly record struct PieceRow(int Run, int Position);
}
