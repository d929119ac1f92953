using KwaaiNet.CandelEngine.Compute.Blocks;
using KwaaiNet.CandelEngine.Compute.Ilgpu.Attention;
using KwaaiNet.CandelEngine.Compute.Ilgpu.Graphs;
using KwaaiNet.CandelEngine.Compute.Stacks;
using KwaaiNet.CandelEngine.Models;

namespace KwaaiNet.CandelEngine.Compute.Ilgpu;

/// <summary>A range of blocks on an ILGPU device. Hidden states, weights and caches stay there; tokens and results cross.</summary>
internal sealed partial class IlgpuBlockStack : BlockStack
{
    /// <summary>Logit rows computed together: bounds the one scratch matrix as wide as the vocabulary.</summary>
    internal const int HeadRowsTogether = StepKind.MostRows;

    private readonly IlgpuDevice _device;
    private readonly IlgpuWeights _weights;
    private readonly RopeAngles _rope;
    private readonly AttentionShape[] _attentionShapes;
    private readonly AttentionKernels _attention;
    private readonly KvPool _pool;
    private readonly IlgpuActivations _activations;
    private readonly GraphPolicy _graphs;
    private readonly long _takenBytes;
    private readonly RowRun[] _whole = new RowRun[StepKind.MostRows];
    private readonly RowRun[] _partly = new RowRun[StepKind.MostRows];
    private Exception? _fault;

    /// <param name="shape">The model.</param>
    /// <param name="options">What the stack holds.</param>
    /// <param name="device">The device.</param>
    /// <param name="weights">The weights there; the stack's from now on.</param>
    /// <param name="memory">What it takes.</param>
    /// <param name="recorder">Records launches; null for none.</param>
    internal IlgpuBlockStack(
        ModelShape shape, BlockStackOptions options, IlgpuDevice device, IlgpuWeights weights, StackMemory memory, ILaunchRecorder? recorder)
        : base(shape, options, memory.WeightBytes, memory.Activations.Rows, AttentionOrder.PagePositions, memory.Pages)
    {
        _device = device;
        _weights = weights;
        _rope = new RopeAngles(shape, memory.Tensors.RopeDivisors);
        _attention = device.Kernels.Attention(options.KvFormat, shape.HeadSize);
        _attentionShapes =
        [
            .. memory.Tensors.Blocks.Select((block, i) => new AttentionShape(shape, _rope, options.FirstBlock + i, options.FirstBlock, block.QueryNorm is not null)),
        ];
        _pool = new KvPool(device.Accelerator, memory.Pages, memory.PageBytes);
        try
        {
            _activations = new IlgpuActivations(device.Accelerator, memory.Activations, _pool.TablesOnDevice);
        }
        catch
        {
            _pool.Dispose();
            throw;
        }

        _takenBytes = memory.Bytes;
        device.TakenBytes += _takenBytes;

        // A mixture's router is read on the host in the middle of a block.
        _graphs = new GraphPolicy(shape.Experts is null ? recorder : null);
    }

    public override long KvBytesPerBlockPosition => KvLayout.PositionBytes(Options.KvFormat, Shape.KvHeadCount, Shape.HeadSize);

    /// <summary>How steps are launched.</summary>
    internal GraphPolicy Graphs => _graphs;

    /// <summary>Where sessions' tables of pages lie.</summary>
    internal KvTables Tables => _pool.Tables;

    internal override void CopyPage(int from, int to)
    {
        lock (_device.Gate)
        {
            ThrowIfLost();
            try
            {
                _pool.Copy(from, to);
            }
            catch (Exception e) when (IsDeviceFault(e))
            {
                throw Lose("copying keys and values", e);
            }
        }
    }

    protected override StackCache NewCache(int firstBlock, int endBlock)
    {
        ThrowIfLost();
        return new IlgpuKvCache(this, firstBlock, endBlock);
    }

    protected override void RunPiece(ReadOnlySpan<RowRun> runs, int rows)
    {
        lock (_device.Gate)
        {
            ThrowIfLost();
            try
            {
                _device.BeforeRun?.Invoke();
                if (!TryRunDecode(runs, rows) && !TryRunApart(runs, rows)) base.RunPiece(runs, rows);
            }
            catch (Exception e) when (IsDeviceFault(e))
            {
                throw Lose("running blocks", e);
            }
        }
    }

    protected override void Enter(ReadOnlySpan<RowRun> runs, int rows)
    {
        SendStep(runs, rows);
        for (int i = 0; i < runs.Length; i++)
        {
            if (runs[i].Step.Tokens.IsEmpty) SendHidden(runs.Slice(i, 1));
            else Embed(runs[i].PieceRow, runs[i].Rows);
        }
    }

    protected override void RunBlock(int block, ReadOnlySpan<RowRun> runs)
    {
        int first = runs[0].PieceRow;
        int splits = 1;
        foreach (ref readonly RowRun run in runs) splits = Math.Max(splits, new AttentionOrder(run.Position + run.Rows - 1, 0).Splits);
        LaunchBlock(block, first, runs[^1].PieceRow + runs[^1].Rows - first, splits);
    }

    protected override void Leave(ReadOnlySpan<RowRun> runs)
    {
        bool wanted = false;
        foreach (ref readonly RowRun run in runs) wanted |= !run.Step.Output.IsEmpty;
        if (wanted)
        {
            LaunchRound(runs[^1].PieceRow + runs[^1].Rows);
            HandOut(runs);
        }

        // A fault of what was launched shows here at the latest, before the caches count the rows as theirs.
        _device.Accelerator.DefaultStream.Synchronize();
    }

    protected override void RunHead(ReadOnlySpan<HeadRow> rows)
    {
        for (; !rows.IsEmpty; rows = rows[Math.Min(rows.Length, HeadRowsTogether)..])
        {
            ReadOnlySpan<HeadRow> together = rows[..Math.Min(rows.Length, HeadRowsTogether)];
            for (int i = 0; i < together.Length; i++) _activations.Step.SetHeadRow(i, together[i].PieceRow);
            _activations.Step.SendHeadRows(_device.Accelerator.DefaultStream);
            LaunchHead(together.Length);
            ReceiveLogits(together.Length);
            for (int i = 0; i < together.Length; i++) LogitsOf(i).CopyTo(together[i].Logits.Span);
        }
    }

    protected override void Free()
    {
        lock (_device.Gate)
        {
            IlgpuDevice.Release(_graphs.Dispose);
            IlgpuDevice.Release(_activations.Dispose);
            IlgpuDevice.Release(_pool.Dispose);
            IlgpuDevice.Release(_weights.Dispose);
            _device.TakenBytes -= _takenBytes;
        }
    }

    // ILGPU reports faults with its own exceptions; the CPU accelerator lets a kernel's through.
    private static bool IsDeviceFault(Exception e) => e is not (ComputeException or ArgumentException);

    private ComputeException Lose(string doing, Exception cause)
    {
        _fault = cause;
        return new ComputeException($"{_device.Description.Name} failed while {doing}: {cause.Message}", cause);
    }

    private void ThrowIfLost()
    {
        if (_fault is not null) throw new ComputeException($"{_device.Description.Name} failed before, and the blocks on it are lost: {_fault.Message}", _fault);
    }
}
