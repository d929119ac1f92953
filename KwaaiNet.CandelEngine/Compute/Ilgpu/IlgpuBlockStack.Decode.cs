using ILGPU;
using ILGPU.Runtime;
using KwaaiNet.CandelEngine.Compute.Ilgpu.Attention;
using KwaaiNet.CandelEngine.Compute.Ilgpu.Graphs;
using KwaaiNet.CandelEngine.Compute.Stacks;

namespace KwaaiNet.CandelEngine.Compute.Ilgpu;

// Steps of one row a session, which can be launched as one graph; and what crosses between host and device.
internal sealed partial class IlgpuBlockStack
{
    // Whether the rows were run: each a session of its own, through the whole stack, all from tokens or all from hidden states.
    private bool TryRunDecode(ReadOnlySpan<RowRun> runs, int rows)
    {
        if (!_graphs.IsOn || rows > StepKind.MostRows || rows > HeadRowsTogether || runs.Length != rows || StepKind.Padded(rows) > PieceRows) return false;

        bool fromTokens = !runs[0].Step.Tokens.IsEmpty;
        bool handsOut = false;
        bool logits = false;
        foreach (ref readonly RowRun run in runs)
        {
            if (!UsesWholeStack(run) || run.Step.Tokens.IsEmpty == fromTokens) return false;

            handsOut |= !run.Step.Output.IsEmpty;
            logits |= !run.Step.Logits.IsEmpty;
        }

        StepKind kind = new(StepKind.Padded(rows), fromTokens, handsOut, logits);
        SendStep(runs, kind.Rows);
        if (!fromTokens) SendHidden(runs);
        if (!_graphs.TryLaunch(kind))
        {
            LaunchDecode(kind);
            Learn(kind, rows);
        }

        ReceiveDecode(runs, kind);
        return true;
    }

    // Where some sessions use a part of the stack only, the others' step is still one graph, and theirs follows. Nothing a row meets depends
    // on the rows beside it; but weights are read twice, so the fewer must not send the many apart.
    private bool TryRunApart(ReadOnlySpan<RowRun> runs, int rows)
    {
        if (!_graphs.IsOn || runs.Length != rows || rows > StepKind.MostRows) return false;

        int whole = 0;
        int partly = 0;
        foreach (ref readonly RowRun run in runs)
        {
            if (UsesWholeStack(run)) _whole[whole] = run with { PieceRow = whole++ };
            else _partly[partly] = run with { PieceRow = partly++ };
        }

        try
        {
            if (partly == 0 || whole < partly || !TryRunDecode(_whole.AsSpan(0, whole), whole)) return false;

            base.RunPiece(_partly.AsSpan(0, partly), partly);
            return true;
        }
        finally
        {
            Array.Clear(_whole, 0, whole); // keeps no session alive
            Array.Clear(_partly, 0, partly);
        }
    }

    private bool UsesWholeStack(in RowRun run) => run.Cache.FirstBlock == Options.FirstBlock && run.Cache.EndBlock == Options.EndBlock;

    private void LaunchDecode(StepKind kind)
    {
        if (kind.FromTokens) Embed(0, kind.Rows);
        int splits = AttentionOrder.SplitsOf(Shape.ContextLength);
        for (int block = Options.FirstBlock; block < Options.EndBlock; block++) LaunchBlock(block, 0, kind.Rows, splits);
        if (kind.HandsOut) LaunchRound(kind.Rows);
        if (kind.Logits) LaunchHead(kind.Rows);
    }

    // Allocates, once for a kind of step. Rows that only fill up the batch have no results: they are left out of what is compared.
    private void Learn(StepKind kind, int rows) => _graphs.Learn(
        kind,
        () => LaunchDecode(kind),
        () =>
        {
            // A graph that does nothing must not find the results of before.
            _activations.Residual.MemSet(byte.MaxValue);
            if (kind.Logits) _activations.Logits.MemSet(byte.MaxValue);
            if (!kind.FromTokens) SendHidden(0, rows);
        },
        () =>
        {
            Receive(_activations.Residual, _activations.HiddenOut, rows * Shape.Width);
            float[] hidden = _activations.HiddenOut.Span[..(rows * Shape.Width)].ToArray();
            if (!kind.Logits) return hidden;

            ReceiveLogits(rows);
            return [.. hidden, .. _activations.LogitsHost!.Span[..(rows * Shape.VocabularySize)]];
        });

    private void ReceiveDecode(ReadOnlySpan<RowRun> runs, StepKind kind)
    {
        if (kind.HandsOut) HandOut(runs);
        if (kind.Logits) ReceiveLogits(runs.Length);
        _device.Accelerator.DefaultStream.Synchronize();
        if (!kind.Logits) return;

        for (int row = 0; row < runs.Length; row++)
        {
            Memory<float> logits = runs[row].Step.Logits;
            if (!logits.IsEmpty) LogitsOf(row).CopyTo(logits.Span);
        }
    }

    private void SendStep(ReadOnlySpan<RowRun> runs, int rows)
    {
        _activations.Step.Begin(rows);
        foreach (ref readonly RowRun run in runs)
        {
            ReadOnlySpan<int> tokens = run.Step.Tokens.Span;
            var cache = (IlgpuKvCache)run.Cache;
            _pool.Send(cache.Table);
            for (int r = 0; r < run.Rows; r++)
            {
                int token = tokens.IsEmpty ? 0 : tokens[run.StepRow + r];
                _activations.Step.Set(run.PieceRow + r, run.Position + r, cache.TableStart, cache.Table.Stride, run.Step.Boundary, token, _rope);
            }
        }

        for (int row = 0; row < rows; row++) _activations.Step.SetHeadRow(row, row);
        _activations.Step.Send(_device.Accelerator.DefaultStream);
    }

    private void SendHidden(ReadOnlySpan<RowRun> runs)
    {
        int width = Shape.Width;
        foreach (ref readonly RowRun run in runs)
        {
            ReadOnlySpan<float> input = run.Step.Input.Span.Slice(run.StepRow * width, run.Rows * width);
            input.CopyTo(_activations.HiddenIn.Span[(run.PieceRow * width)..]);
            SendHidden(run.PieceRow, run.Rows);
        }
    }

    private void SendHidden(int first, int rows)
    {
        int start = first * Shape.Width;
        int length = rows * Shape.Width;
        _activations.Residual.SubView(start, length).CopyFrom(_device.Accelerator.DefaultStream, _activations.HiddenIn.ArrayView.SubView(start, length));
    }

    // Hidden states to the steps that want them; waits.
    private void HandOut(ReadOnlySpan<RowRun> runs)
    {
        int width = Shape.Width;
        Receive(_activations.Residual, _activations.HiddenOut, (runs[^1].PieceRow + runs[^1].Rows) * width);
        foreach (ref readonly RowRun run in runs)
        {
            if (run.Step.Output.IsEmpty) continue;

            _activations.HiddenOut.Span.Slice(run.PieceRow * width, run.Rows * width).CopyTo(run.Step.Output.Span[(run.StepRow * width)..]);
        }
    }

    private void ReceiveLogits(int rows) => Receive(_activations.Logits, _activations.LogitsHost!, rows * Shape.VocabularySize);

    private ReadOnlySpan<float> LogitsOf(int row) => _activations.LogitsHost!.Span.Slice(row * Shape.VocabularySize, Shape.VocabularySize);

    private void Receive(ArrayView<float> source, PageLockedArray1D<float> target, int length)
    {
        AcceleratorStream stream = _device.Accelerator.DefaultStream;
        source.SubView(0, length).CopyTo(stream, target.ArrayView.SubView(0, length));
        stream.Synchronize();
    }
}
