using System.Runtime.InteropServices;
using ILGPU;
using ILGPU.Runtime;
using KwaaiNet.CandelEngine.Compute.Blocks;
using KwaaiNet.CandelEngine.Compute.Stacks;
using KwaaiNet.CandelEngine.Models;

namespace KwaaiNet.CandelEngine.Compute.Ilgpu;

/// <summary>A range of llama blocks on an ILGPU device. Hidden states, weights and caches stay there; tokens and results cross.</summary>
internal sealed class IlgpuBlockStack : BlockStack
{
    // Logit rows computed together: bounds the one scratch matrix as wide as the vocabulary.
    private const int HeadRowsTogether = 16;

    private readonly IlgpuDevice _device;
    private readonly KernelSet _kernels;
    private readonly IlgpuWeights _weights;
    private readonly RopeAngles _rope;
    private readonly DeviceShape _deviceShape;

    private readonly Stack<MemoryBuffer> _buffers = new();
    private readonly ArrayView<float> _residual;
    private readonly ArrayView<float> _normed;
    private readonly ArrayView<float> _query;
    private readonly ArrayView<float> _key;
    private readonly ArrayView<float> _value;
    private readonly ArrayView<float> _attended;
    private readonly ArrayView<float> _projected;
    private readonly ArrayView<float> _gate;
    private readonly ArrayView<float> _up;
    private readonly ArrayView<float> _angles;
    private readonly ArrayView<float> _logits;
    private readonly ArrayView<int> _tokens;
    private readonly ArrayView<int> _everyRow;
    private readonly ArrayView<int> _headRows;

    private readonly int[] _tokensHost;
    private readonly int[] _headRowsHost;
    private readonly float[] _anglesHost;

    internal IlgpuBlockStack(ModelShape shape, BlockStackOptions options, RangeTensors tensors, IlgpuDevice device, IlgpuWeights weights, int pieceRows)
        : base(shape, options, DeviceMatrix.BytesOf(tensors), pieceRows)
    {
        _device = device;
        _kernels = device.Kernels;
        _weights = weights;
        _rope = new RopeAngles(shape, tensors.RopeDivisors);
        _deviceShape = new DeviceShape(shape);
        _tokensHost = new int[pieceRows];
        _headRowsHost = new int[HeadRowsTogether];
        _anglesHost = new float[pieceRows * _rope.Length];
        try
        {
            int queryWidth = shape.HeadCount * shape.HeadSize;
            _residual = Allocate<float>(pieceRows, shape.Width);
            _normed = Allocate<float>(pieceRows, shape.Width);
            _query = Allocate<float>(pieceRows, queryWidth);
            _key = Allocate<float>(pieceRows, shape.KvWidth);
            _value = Allocate<float>(pieceRows, shape.KvWidth);
            _attended = Allocate<float>(pieceRows, queryWidth);
            _projected = Allocate<float>(pieceRows, shape.Width);
            _gate = Allocate<float>(pieceRows, shape.FeedForwardWidth);
            _up = Allocate<float>(pieceRows, shape.FeedForwardWidth);
            _angles = Allocate<float>(pieceRows, _rope.Length);
            _logits = options.OutputHead ? Allocate<float>(HeadRowsTogether, shape.VocabularySize) : default;
            _tokens = Allocate<int>(pieceRows, 1);
            _headRows = Allocate<int>(HeadRowsTogether, 1);
            _everyRow = Allocate<int>(pieceRows, 1);
            int[] everyRow = [.. Enumerable.Range(0, pieceRows)];
            _everyRow.CopyFromCPU(ref everyRow[0], everyRow.Length);
        }
        catch
        {
            FreeBuffers();
            throw;
        }
    }

    protected override StackCache NewCache(int firstBlock, int endBlock, int capacity, long bytes)
    {
        lock (_device.Gate)
        {
            try
            {
                return new IlgpuKvCache(this, _device, firstBlock, endBlock, capacity, bytes);
            }
            catch (Exception e) when (e is AcceleratorException or OutOfMemoryException)
            {
                // The budget allowed more than the device has left.
                throw new KvExhaustedException(bytes, _device.FreeBytes);
            }
        }
    }

    protected override void Enter(ReadOnlySpan<RowRun> runs, int rows)
    {
        lock (_device.Gate)
        {
            try
            {
                EnterOnDevice(runs, rows);
            }
            catch (Exception e) when (IsDeviceFault(e))
            {
                throw Fault("taking input", e);
            }
        }
    }

    protected override void RunBlock(int block, ReadOnlySpan<RowRun> runs)
    {
        lock (_device.Gate)
        {
            try
            {
                RunBlockOnDevice(block, runs);
            }
            catch (Exception e) when (IsDeviceFault(e))
            {
                throw Fault($"running block {block}", e);
            }
        }
    }

    protected override void Leave(ReadOnlySpan<RowRun> runs)
    {
        lock (_device.Gate)
        {
            try
            {
                foreach (ref readonly RowRun run in runs)
                {
                    if (run.Step.Output.IsEmpty) continue;

                    Span<float> output = run.Step.Output.Span[(run.StepRow * Shape.Width)..];
                    Rows(_residual, Shape.Width, run.PieceRow, run.Rows).CopyToCPU(ref output[0], (long)run.Rows * Shape.Width);
                }

                // A fault of what was launched shows here at the latest, before the caches count the rows as theirs.
                _device.Accelerator.DefaultStream.Synchronize();
            }
            catch (Exception e) when (IsDeviceFault(e))
            {
                throw Fault("handing out hidden states", e);
            }
        }
    }

    protected override void RunHead(ReadOnlySpan<HeadRow> rows)
    {
        lock (_device.Gate)
        {
            try
            {
                for (; !rows.IsEmpty; rows = rows[Math.Min(rows.Length, HeadRowsTogether)..])
                    RunHeadOnDevice(rows[..Math.Min(rows.Length, HeadRowsTogether)]);
            }
            catch (Exception e) when (IsDeviceFault(e))
            {
                throw Fault("computing logits", e);
            }
        }
    }

    protected override void Free()
    {
        lock (_device.Gate)
        {
            FreeBuffers();
            _weights.Dispose();
        }
    }

    private static ArrayView<float> Rows(ArrayView<float> matrix, int width, int first, int count) =>
        matrix.SubView((long)first * width, (long)count * width);

    // ILGPU reports faults with its own exceptions; the CPU accelerator lets a kernel's through.
    private static bool IsDeviceFault(Exception e) => e is not (ComputeException or ArgumentException);

    private ComputeException Fault(string doing, Exception cause) =>
        new($"{_device.Description.Name} failed while {doing}: {cause.Message}", cause);

    private ArrayView<T> Allocate<T>(int rows, int width) where T : unmanaged
    {
        MemoryBuffer1D<T, Stride1D.Dense> buffer = _device.Accelerator.Allocate1D<T>((long)rows * width);
        _buffers.Push(buffer);
        return buffer.View;
    }

    private void FreeBuffers()
    {
        while (_buffers.TryPop(out MemoryBuffer? buffer)) buffer.Dispose();
    }

    private void EnterOnDevice(ReadOnlySpan<RowRun> runs, int rows)
    {
        foreach (ref readonly RowRun run in runs)
        {
            for (int r = 0; r < run.Rows; r++)
                _rope.Write(run.Position + r, _anglesHost.AsSpan((run.PieceRow + r) * _rope.Length, _rope.Length));
            if (!run.Step.Tokens.IsEmpty) run.Step.Tokens.Span.Slice(run.StepRow, run.Rows).CopyTo(_tokensHost.AsSpan(run.PieceRow));
        }

        _angles.SubView(0, rows * _rope.Length).CopyFromCPU(ref _anglesHost[0], rows * _rope.Length);
        _tokens.SubView(0, rows).CopyFromCPU(ref _tokensHost[0], rows);

        foreach (ref readonly RowRun run in runs)
        {
            ArrayView<float> target = Rows(_residual, Shape.Width, run.PieceRow, run.Rows);
            if (!run.Step.Tokens.IsEmpty)
            {
                _weights.Embedding!.Embed(_tokens.SubView(run.PieceRow, run.Rows), run.Rows, target);
                continue;
            }

            ReadOnlySpan<float> input = run.Step.Input.Span[(run.StepRow * Shape.Width)..];
            target.CopyFromCPU(ref MemoryMarshal.GetReference(input), (long)run.Rows * Shape.Width);
        }
    }

    private void RunBlockOnDevice(int block, ReadOnlySpan<RowRun> runs)
    {
        IlgpuBlock weights = _weights.Blocks[block - Options.FirstBlock];
        int first = runs[0].PieceRow;
        int rows = runs[^1].PieceRow + runs[^1].Rows - first;
        int width = Shape.Width;
        int queryWidth = Shape.HeadCount * Shape.HeadSize;
        ArrayView<float> residual = Rows(_residual, width, first, rows);

        _kernels.RmsNorm(rows, residual, _everyRow, weights.AttentionNorm, width, Shape.RmsEpsilon, _normed);
        weights.Query.Multiply(_normed, rows, _query);
        weights.Key.Multiply(_normed, rows, _key);
        weights.Value.Multiply(_normed, rows, _value);
        _kernels.RotateQueries(rows * Shape.HeadCount, _query, Rows(_angles, _rope.Length, first, rows), _deviceShape);
        foreach (ref readonly RowRun run in runs)
        {
            var cache = (IlgpuKvCache)run.Cache;
            ArrayView<float> keys = cache.Keys(block);
            ArrayView<float> values = cache.Values(block);
            int at = run.PieceRow - first;
            _kernels.Append(
                run.Rows * Shape.KvHeadCount,
                Rows(_key, Shape.KvWidth, at, run.Rows),
                Rows(_value, Shape.KvWidth, at, run.Rows),
                Rows(_angles, _rope.Length, run.PieceRow, run.Rows),
                run.Position,
                keys,
                values,
                _deviceShape);
            _kernels.Attend(
                run.Rows * Shape.HeadCount,
                Rows(_query, queryWidth, at, run.Rows),
                run.Position,
                keys,
                values,
                Rows(_attended, queryWidth, at, run.Rows),
                _deviceShape);
        }

        weights.AttentionOutput.Multiply(_attended, rows, _projected);
        _kernels.Add(rows * width, residual, _projected);

        _kernels.RmsNorm(rows, residual, _everyRow, weights.FeedForwardNorm, width, Shape.RmsEpsilon, _normed);
        weights.Gate.Multiply(_normed, rows, _gate);
        weights.Up.Multiply(_normed, rows, _up);
        _kernels.SiluMultiply(rows * Shape.FeedForwardWidth, _gate, _up);
        weights.Down.Multiply(_gate, rows, _projected);
        _kernels.Add(rows * width, residual, _projected);

        foreach (ref readonly RowRun run in runs)
        {
            if (run.Step.Boundary == HiddenFormat.F16)
                _kernels.RoundToHalf(run.Rows * width, Rows(_residual, width, run.PieceRow, run.Rows));
        }
    }

    private void RunHeadOnDevice(ReadOnlySpan<HeadRow> rows)
    {
        for (int i = 0; i < rows.Length; i++) _headRowsHost[i] = rows[i].PieceRow;
        _headRows.SubView(0, rows.Length).CopyFromCPU(ref _headRowsHost[0], rows.Length);
        _kernels.RmsNorm(rows.Length, _residual, _headRows, _weights.OutputNorm, Shape.Width, Shape.RmsEpsilon, _normed);
        _weights.Output!.Multiply(_normed, rows.Length, _logits);
        for (int i = 0; i < rows.Length; i++)
            Rows(_logits, Shape.VocabularySize, i, 1).CopyToCPU(ref rows[i].Logits.Span[0], Shape.VocabularySize);
    }
}
