using System.Numerics;
using System.Runtime.InteropServices;
using KwaaiNet.CandelEngine.Compute.Blocks;
using KwaaiNet.CandelEngine.Compute.Cpu.Kernels;
using KwaaiNet.CandelEngine.Compute.Stacks;
using KwaaiNet.CandelEngine.Models;

namespace KwaaiNet.CandelEngine.Compute.Cpu;

/// <summary>A range of llama blocks on the processor. Weights stay where the file is mapped; there is no second copy.</summary>
internal sealed unsafe class CpuBlockStack : BlockStack
{
    /// <summary>Rows that run together at most: bounds the scratch matrices, and is more than enough to make weights worth streaming.</summary>
    internal const int DefaultPieceRows = 256;

    // Logit rows computed together: 32 rows of a 128 k vocabulary are 16 MiB of scratch.
    private const int HeadRowsTogether = 32;

    private readonly CpuKernels _kernels;
    private readonly ComputePool _pool;
    private readonly MatrixProduct _product;
    private readonly RopeAngles _rope;
    private readonly CpuBlock[] _blocks;
    private readonly WeightMatrix _embedding;
    private readonly WeightMatrix _output;
    private readonly float* _outputNorm;

    private readonly ScratchMatrix _residual;
    private readonly ScratchMatrix _normed;
    private readonly ScratchMatrix _query;
    private readonly ScratchMatrix _key;
    private readonly ScratchMatrix _value;
    private readonly ScratchMatrix _attended;
    private readonly ScratchMatrix _projected;
    private readonly ScratchMatrix _gate;
    private readonly ScratchMatrix _up;
    private readonly ScratchMatrix _angles;
    private readonly ScratchMatrix _logits;
    private readonly Half[] _halves;

    // The rows that the shared work below is about; delegates are made once so that running allocates nothing.
    private readonly Action<int, int> _attendShare;
    private readonly Action<int, int> _activateRow;
    private readonly PieceRow[] _rows;
    private ScratchMatrix _scores = new(KvBlock.PagePositions); // a row a thread, as long as the longest session
    private KvBlock[] _kv = new KvBlock[4];
    private int _firstRow;

    internal CpuBlockStack(ModelShape shape, BlockStackOptions options, RangeTensors tensors, CpuKernels kernels, ComputePool pool, int pieceRows)
        : base(shape, options, tensors.Bytes, pieceRows)
    {
        _kernels = kernels;
        _pool = pool;
        _product = new MatrixProduct(kernels, pool);
        _rope = new RopeAngles(shape, tensors.RopeDivisors);
        _blocks = Array.ConvertAll(tensors.Blocks, b => new CpuBlock(b));
        if (tensors.Embedding is { } embedding) _embedding = new WeightMatrix(embedding);
        if (tensors.Output is { } output) _output = new WeightMatrix(output);
        if (tensors.OutputNorm is { } norm) _outputNorm = CpuBlock.DecodeVector(norm);

        int queryWidth = shape.HeadCount * shape.HeadSize;
        _residual = new ScratchMatrix(shape.Width);
        _normed = new ScratchMatrix(shape.Width);
        _query = new ScratchMatrix(queryWidth);
        _key = new ScratchMatrix(shape.KvWidth);
        _value = new ScratchMatrix(shape.KvWidth);
        _attended = new ScratchMatrix(queryWidth);
        _projected = new ScratchMatrix(shape.Width);
        _gate = new ScratchMatrix(shape.FeedForwardWidth);
        _up = new ScratchMatrix(shape.FeedForwardWidth);
        _angles = new ScratchMatrix(_rope.Length);
        _logits = new ScratchMatrix(shape.VocabularySize);
        _halves = new Half[shape.Width];
        _rows = new PieceRow[pieceRows];
        _attendShare = AttendShare;
        _activateRow = ActivateRow;
    }

    protected override StackCache NewCache(int firstBlock, int endBlock, int capacity, long bytes)
    {
        if (capacity > _scores.Width)
        {
            _scores.Dispose();
            _scores = new ScratchMatrix(capacity);
        }

        return new CpuKvCache(this, firstBlock, endBlock, capacity, bytes);
    }

    protected override void Enter(ReadOnlySpan<RowRun> runs, int rows)
    {
        ReserveRows(rows);
        if (_kv.Length < runs.Length) _kv = new KvBlock[PieceRows];

        foreach (ref readonly RowRun run in runs)
        {
            ReadOnlySpan<int> tokens = run.Step.Tokens.Span;
            ReadOnlySpan<float> input = run.Step.Input.Span;
            for (int r = 0; r < run.Rows; r++)
            {
                float* row = _residual.Row(run.PieceRow + r);
                if (!tokens.IsEmpty)
                    CpuKernels.DecodeRow(_embedding, tokens[run.StepRow + r], row);
                else
                    input.Slice((run.StepRow + r) * Shape.Width, Shape.Width).CopyTo(new Span<float>(row, Shape.Width));
                _rope.Write(run.Position + r, new Span<float>(_angles.Row(run.PieceRow + r), _rope.Length));
            }
        }
    }

    protected override void RunBlock(int block, ReadOnlySpan<RowRun> runs)
    {
        CpuBlock weights = _blocks[block - Options.FirstBlock];
        int first = runs[0].PieceRow;
        int end = runs[^1].PieceRow + runs[^1].Rows;
        int rows = end - first;

        Normalize(weights.AttentionNorm, first, end);
        _product.Of(_normed, first, rows)
            .With(weights.Query, _query, first).With(weights.Key, _key, first).With(weights.Value, _value, first).Run();
        for (int i = 0; i < runs.Length; i++) TurnAndKeep(block, runs[i], i);
        Attend(first, rows);
        _product.Of(_attended, first, rows).With(weights.AttentionOutput, _projected, first).Run();
        AddProjected(first, end);

        Normalize(weights.FeedForwardNorm, first, end);
        _product.Of(_normed, first, rows).With(weights.Gate, _gate, first).With(weights.Up, _up, first).Run();
        Activate(first, rows);
        _product.Of(_gate, first, rows).With(weights.Down, _projected, first).Run();
        AddProjected(first, end);

        foreach (ref readonly RowRun run in runs)
        {
            if (run.Step.Boundary == HiddenFormat.F16) RoundToHalf(run);
        }
    }

    protected override void Leave(ReadOnlySpan<RowRun> runs)
    {
        Array.Clear(_kv, 0, runs.Length); // keeps no session alive
        foreach (ref readonly RowRun run in runs)
        {
            if (run.Step.Output.IsEmpty) continue;

            Span<float> output = run.Step.Output.Span[(run.StepRow * Shape.Width)..];
            for (int r = 0; r < run.Rows; r++)
                new Span<float>(_residual.Row(run.PieceRow + r), Shape.Width).CopyTo(output[(r * Shape.Width)..]);
        }
    }

    protected override void RunHead(ReadOnlySpan<HeadRow> rows)
    {
        for (; !rows.IsEmpty; rows = rows[Math.Min(rows.Length, HeadRowsTogether)..])
        {
            int count = Math.Min(rows.Length, HeadRowsTogether);
            _logits.Reserve(count);
            for (int i = 0; i < count; i++)
                _kernels.RmsNorm(_residual.Row(rows[i].PieceRow), _outputNorm, Shape.Width, Shape.RmsEpsilon, _normed.Row(i));

            _product.Of(_normed, 0, count).With(_output, _logits, 0).Run();
            for (int i = 0; i < count; i++)
                new Span<float>(_logits.Row(i), Shape.VocabularySize).CopyTo(rows[i].Logits.Span);
        }
    }

    protected override void Free()
    {
        foreach (CpuBlock block in _blocks) block.Dispose();
        NativeMemory.AlignedFree(_outputNorm);
        foreach (ScratchMatrix matrix in Matrices()) matrix.Dispose();
    }

    private ScratchMatrix[] Matrices() =>
        [_residual, _normed, _query, _key, _value, _attended, _projected, _gate, _up, _angles, _logits, _scores];

    private void ReserveRows(int rows)
    {
        // Doubling, so that a stack which only decodes never holds a prefill's scratch, and growing is rare.
        int room = Math.Min(PieceRows, (int)BitOperations.RoundUpToPowerOf2((uint)rows));
        _residual.Reserve(room);
        _normed.Reserve(room);
        _query.Reserve(room);
        _key.Reserve(room);
        _value.Reserve(room);
        _attended.Reserve(room);
        _projected.Reserve(room);
        _gate.Reserve(room);
        _up.Reserve(room);
        _angles.Reserve(room);
        _scores.Reserve(_pool.Threads);
    }

    private void Normalize(float* weights, int first, int end)
    {
        for (int r = first; r < end; r++)
            _kernels.RmsNorm(_residual.Row(r), weights, Shape.Width, Shape.RmsEpsilon, _normed.Row(r));
    }

    private void AddProjected(int first, int end)
    {
        for (int r = first; r < end; r++) CpuKernels.Add(_residual.Row(r), _projected.Row(r), Shape.Width);
    }

    // RoPE on queries and keys; then keys and values go to the session's pages.
    private void TurnAndKeep(int block, in RowRun run, int runIndex)
    {
        KvBlock kv = ((CpuKvCache)run.Cache).Block(block);
        _kv[runIndex] = kv;
        int headSize = Shape.HeadSize;
        for (int r = 0; r < run.Rows; r++)
        {
            int row = run.PieceRow + r;
            int position = run.Position + r;
            float* angles = _angles.Row(row);
            CpuKernels.Rotate(_query.Row(row), Shape.HeadCount, headSize, angles, Shape.RopeSize);
            CpuKernels.Rotate(_key.Row(row), Shape.KvHeadCount, headSize, angles, Shape.RopeSize);
            for (int head = 0; head < Shape.KvHeadCount; head++)
            {
                new Span<float>(_key.Row(row) + (head * headSize), headSize).CopyTo(new Span<float>(kv.Key(position, head), headSize));
                new Span<float>(_value.Row(row) + (head * headSize), headSize).CopyTo(new Span<float>(kv.Value(position, head), headSize));
            }

            _rows[row] = new PieceRow(runIndex, position);
        }
    }

    // A share is one row and one key/value head, with the query heads that use it.
    private void Attend(int first, int rows)
    {
        const int WorthSharingPositions = 512;

        _firstRow = first;
        int shares = rows * Shape.KvHeadCount;
        int positions = 0;
        for (int r = first; r < first + rows && positions < WorthSharingPositions; r++) positions += _rows[r].Position + 1;
        if (positions >= WorthSharingPositions)
        {
            _pool.For(shares, _attendShare);
            return;
        }

        for (int share = 0; share < shares; share++) AttendShare(share, 0);
    }

    private void AttendShare(int share, int worker)
    {
        int row = _firstRow + (share / Shape.KvHeadCount);
        int kvHead = share % Shape.KvHeadCount;
        int group = Shape.HeadCount / Shape.KvHeadCount;
        PieceRow at = _rows[row];
        for (int head = kvHead * group; head < (kvHead + 1) * group; head++)
        {
            int offset = head * Shape.HeadSize;
            _kernels.Attend(_query.Row(row) + offset, _kv[at.Run], kvHead, at.Position + 1, _scores.Row(worker), _attended.Row(row) + offset);
        }
    }

    private void Activate(int first, int rows)
    {
        _firstRow = first;
        if (rows > 8)
        {
            _pool.For(rows, _activateRow);
            return;
        }

        for (int r = 0; r < rows; r++) ActivateRow(r, 0);
    }

    private void ActivateRow(int row, int worker) =>
        _kernels.SiluMultiply(_gate.Row(_firstRow + row), _up.Row(_firstRow + row), Shape.FeedForwardWidth);

    private void RoundToHalf(in RowRun run)
    {
        for (int r = 0; r < run.Rows; r++)
            CpuKernels.RoundToHalf(new Span<float>(_residual.Row(run.PieceRow + r), Shape.Width), _halves);
    }

    /// <summary>Which run a row of the piece belongs to, and its position there.</summary>
    private readonly record struct PieceRow(int Run, int Position);
}
