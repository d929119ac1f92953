using System.Runtime.InteropServices;
using ILGPU;
using ILGPU.Runtime;
using KwaaiNet.CandelEngine.Compute.Blocks;
using KwaaiNet.CandelEngine.Compute.Stacks;
using KwaaiNet.CandelEngine.Models;

namespace KwaaiNet.CandelEngine.Compute.Ilgpu;

/// <summary>A range of blocks on an ILGPU device. Hidden states, weights and caches stay there; tokens and results cross.</summary>
internal sealed class IlgpuBlockStack : BlockStack
{
    // Logit rows computed together: bounds the one scratch matrix as wide as the vocabulary.
    private const int HeadRowsTogether = 16;

    private readonly IlgpuDevice _device;
    private readonly KernelSet _kernels;
    private readonly IlgpuWeights _weights;
    private readonly RopeAngles _rope;
    private readonly DeviceShape[] _blockShapes;
    private readonly IlgpuScratch _scratch;
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
        _blockShapes = [.. Enumerable.Range(options.FirstBlock, tensors.Blocks.Length).Select(block => new DeviceShape(shape, _rope, block))];
        _tokensHost = new int[pieceRows];
        _headRowsHost = new int[HeadRowsTogether];
        _anglesHost = new float[Math.Max(1, pieceRows * _rope.Length)];
        _scratch = new IlgpuScratch(device.Accelerator, shape, pieceRows, _rope.Length, options.OutputHead ? HeadRowsTogether : 0);
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
                    Rows(_scratch.Residual, Shape.Width, run.PieceRow, run.Rows).CopyToCPU(ref output[0], (long)run.Rows * Shape.Width);
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
            IlgpuDevice.Release(_scratch.Dispose);
            IlgpuDevice.Release(_weights.Dispose);
        }
    }

    private static ArrayView<float> Rows(ArrayView<float> matrix, int width, int first, int count) =>
        matrix.SubView((long)first * width, (long)count * width);

    // ILGPU reports faults with its own exceptions; the CPU accelerator lets a kernel's through.
    private static bool IsDeviceFault(Exception e) => e is not (ComputeException or ArgumentException);

    private ComputeException Fault(string doing, Exception cause) =>
        new($"{_device.Description.Name} failed while {doing}: {cause.Message}", cause);

    private void EnterOnDevice(ReadOnlySpan<RowRun> runs, int rows)
    {
        foreach (ref readonly RowRun run in runs)
        {
            for (int r = 0; r < run.Rows; r++)
                _rope.Write(run.Position + r, _anglesHost.AsSpan((run.PieceRow + r) * _rope.Length, _rope.Length));
            if (!run.Step.Tokens.IsEmpty) run.Step.Tokens.Span.Slice(run.StepRow, run.Rows).CopyTo(_tokensHost.AsSpan(run.PieceRow));
        }

        if (_rope.Length > 0) _scratch.Angles.SubView(0, rows * _rope.Length).CopyFromCPU(ref _anglesHost[0], rows * _rope.Length);
        _scratch.Tokens.SubView(0, rows).CopyFromCPU(ref _tokensHost[0], rows);

        foreach (ref readonly RowRun run in runs)
        {
            ArrayView<float> target = Rows(_scratch.Residual, Shape.Width, run.PieceRow, run.Rows);
            if (!run.Step.Tokens.IsEmpty)
            {
                _weights.Embedding!.Embed(_scratch.Tokens.SubView(run.PieceRow, run.Rows), run.Rows, target);
                if (Shape.EmbeddingScale != 1) _kernels.Scale(run.Rows * Shape.Width, target, Shape.EmbeddingScale);
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
        ArrayView<float> residual = Rows(_scratch.Residual, width, first, rows);

        _kernels.RmsNorm(rows, residual, _scratch.EveryRow, weights.AttentionNorm, width, Shape.RmsEpsilon, _scratch.Normed);
        Attend(block, weights, runs, first, rows);
        AddToResidual(residual, weights.PostAttentionNorm, rows);

        _kernels.RmsNorm(rows, residual, _scratch.EveryRow, weights.FeedForwardNorm, width, Shape.RmsEpsilon, _scratch.Normed);
        if (weights.FeedForward is { } layer) layer.Run(_kernels, Shape.Activation, _scratch.Normed, rows, _scratch, _scratch.Projected);
        else weights.Experts!.Run(_kernels, Shape.Activation, _scratch.Normed, rows, width, _scratch, _scratch.Projected);
        AddToResidual(residual, weights.PostFeedForwardNorm, rows);

        foreach (ref readonly RowRun run in runs)
        {
            if (run.Step.Boundary == HiddenFormat.F16)
                _kernels.RoundToHalf(run.Rows * width, Rows(_scratch.Residual, width, run.PieceRow, run.Rows));
        }
    }

    // Normed hidden states to what attention adds, in Projected.
    private void Attend(int block, IlgpuBlock weights, ReadOnlySpan<RowRun> runs, int first, int rows)
    {
        DeviceShape blockShape = _blockShapes[block - Options.FirstBlock];
        int queryWidth = Shape.QueryWidth;
        weights.Query.Multiply(_scratch.Normed, rows, _scratch.Query);
        _kernels.AddBiasIfAny(rows, _scratch.Query, weights.QueryBias, queryWidth);
        weights.Key.Multiply(_scratch.Normed, rows, _scratch.Key);
        _kernels.AddBiasIfAny(rows, _scratch.Key, weights.KeyBias, Shape.KvWidth);
        weights.Value.Multiply(_scratch.Normed, rows, _scratch.Value);
        _kernels.AddBiasIfAny(rows, _scratch.Value, weights.ValueBias, Shape.KvWidth);
        _kernels.NormIfAny(rows * Shape.HeadCount, _scratch.Query, weights.QueryNorm, Shape.HeadSize, Shape.RmsEpsilon);
        _kernels.NormIfAny(rows * Shape.KvHeadCount, _scratch.Key, weights.KeyNorm, Shape.HeadSize, Shape.RmsEpsilon);
        if (blockShape.RopeSize > 0)
            _kernels.RotateQueries(rows * Shape.HeadCount, _scratch.Query, Rows(_scratch.Angles, _rope.Length, first, rows), blockShape);
        foreach (ref readonly RowRun run in runs)
        {
            var cache = (IlgpuKvCache)run.Cache;
            ArrayView<float> keys = cache.Keys(block);
            ArrayView<float> values = cache.Values(block);
            int at = run.PieceRow - first;
            _kernels.Append(
                run.Rows * Shape.KvHeadCount,
                Rows(_scratch.Key, Shape.KvWidth, at, run.Rows),
                Rows(_scratch.Value, Shape.KvWidth, at, run.Rows),
                Rows(_scratch.Angles, _rope.Length, run.PieceRow, run.Rows),
                run.Position,
                keys,
                values,
                blockShape);
            _kernels.Attend(
                run.Rows * Shape.HeadCount,
                Rows(_scratch.Query, queryWidth, at, run.Rows),
                run.Position,
                keys,
                values,
                Rows(_scratch.Attended, queryWidth, at, run.Rows),
                blockShape);
        }

        weights.AttentionOutput.Multiply(_scratch.Attended, rows, _scratch.Projected);
        _kernels.AddBiasIfAny(rows, _scratch.Projected, weights.AttentionOutputBias, Shape.Width);
    }

    private void AddToResidual(ArrayView<float> residual, ArrayView<float>? postNorm, int rows)
    {
        _kernels.NormIfAny(rows, _scratch.Projected, postNorm, Shape.Width, Shape.RmsEpsilon);
        if (Shape.ResidualScale == 1) _kernels.Add(rows * Shape.Width, residual, _scratch.Projected);
        else _kernels.AddScaled(rows * Shape.Width, residual, _scratch.Projected, Shape.ResidualScale);
    }

    private void RunHeadOnDevice(ReadOnlySpan<HeadRow> rows)
    {
        int numbers = rows.Length * Shape.VocabularySize;
        for (int i = 0; i < rows.Length; i++) _headRowsHost[i] = rows[i].PieceRow;
        _scratch.HeadRows.SubView(0, rows.Length).CopyFromCPU(ref _headRowsHost[0], rows.Length);
        _kernels.RmsNorm(rows.Length, _scratch.Residual, _scratch.HeadRows, _weights.OutputNorm, Shape.Width, Shape.RmsEpsilon, _scratch.Normed);
        _weights.Output!.Multiply(_scratch.Normed, rows.Length, _scratch.Logits);
        if (Shape.LogitScale != 1) _kernels.Scale(numbers, _scratch.Logits, Shape.LogitScale);
        if (Shape.LogitSoftcap != 0) _kernels.Softcap(numbers, _scratch.Logits, Shape.LogitSoftcap);
        for (int i = 0; i < rows.Length; i++)
            Rows(_scratch.Logits, Shape.VocabularySize, i, 1).CopyToCPU(ref rows[i].Logits.Span[0], Shape.VocabularySize);
    }
}
