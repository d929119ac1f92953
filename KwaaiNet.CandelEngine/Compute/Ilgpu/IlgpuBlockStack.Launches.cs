using ILGPU;
using ILGPU.Runtime;
using KwaaiNet.CandelEngine.Compute.Blocks;
using KwaaiNet.CandelEngine.Compute.Ilgpu.Attention;
using KwaaiNet.CandelEngine.Compute.Ilgpu.Matrices;
using KwaaiNet.CandelEngine.Compute.Ilgpu.Matrices.Projections;
using KwaaiNet.CandelEngine.Compute.Ilgpu.Norms;
using KwaaiNet.CandelEngine.Compute.Ilgpu.Steps;

namespace KwaaiNet.CandelEngine.Compute.Ilgpu;

// What is launched for the rows of a step. Arguments depend on the number of rows alone; all else is on the device.
internal sealed partial class IlgpuBlockStack
{
    private void Embed(int first, int rows) => _weights.Embedding!.Embed(
        _activations.Step.Tokens.SubView(first, rows), rows, Shape.EmbeddingScale, RowsOf(_activations.Residual, Shape.Width, first, rows));

    private void LaunchBlock(int block, int first, int rows, int splits)
    {
        IlgpuBlock weights = _weights.Blocks[block - Options.FirstBlock];
        StepView step = _activations.Step.From(first);
        ArrayView<float> residual = RowsOf(_activations.Residual, Shape.Width, first, rows);

        // The block before left its rows unrounded; what comes from tokens or from the wire is as it should be.
        Norm(new NormShape(Shape.Width, Shape.RmsEpsilon, rounds: block != 0), rows, step, residual, weights.AttentionNorm, _activations.Normed.For(rows));
        LaunchAttention(weights, _attentionShapes[block - Options.FirstBlock], step, rows, splits);
        Operand attended = _activations.Attended.For(rows);
        AddTo(weights.AttentionOutput, attended, rows, residual, weights.AttentionOutputBias, weights.PostAttentionNorm);

        Operand normed = _activations.Normed.For(rows);
        Norm(new NormShape(Shape.Width, Shape.RmsEpsilon), rows, step, residual, weights.FeedForwardNorm, normed);
        if (weights.FeedForward is not { } layer)
        {
            LaunchExperts(weights.Experts!, rows, normed);
            AddProjected(rows, residual, weights.PostFeedForwardNorm);
            return;
        }

        Operand gated = _activations.Gated.For(rows);
        layer.GateUp.Run(normed, rows, Shape.Activation, layer.GateUpBias, _activations.GateUp, gated);
        AddTo(layer.Down, gated, rows, residual, layer.DownBias, weights.PostFeedForwardNorm);
    }

    private void LaunchAttention(IlgpuBlock weights, AttentionShape shape, StepView step, int rows, int splits)
    {
        ArrayView<float> product = _activations.Product;
        weights.QueryKeyValue.Multiply(_activations.Normed.For(rows), rows, product, weights.QueryKeyValueBias);
        _attention.Place(shape, rows, step, product, weights.QueryNorm ?? product, weights.KeyNorm ?? product, _activations.Query, _pool.Ints);
        Operand attended = _activations.Attended.For(rows);
        _attention.Attend(shape, rows, splits, step, _pool.Words, _activations.Query, _activations.Attention, _activations.Plain, attended);
        if (shape.Plain != 0) _device.Matrices.Write(_activations.Plain, rows, attended);
    }

    private void LaunchExperts(IlgpuExperts experts, int rows, Operand normed)
    {
        IlgpuExpertScratch room = _activations.Experts!;
        int count = Shape.Experts!.Count;
        int used = Shape.Experts.Used;
        experts.Router.Multiply(normed, rows, room.Logits);
        room.Logits.SubView(0, rows * count).CopyToCPU(ref room.LogitsHost[0], rows * count);
        for (int row = 0; row < rows; row++)
            ExpertRouter.Pick(room.LogitsHost.AsSpan(row * count, count), Shape.Experts, room.Chosen.AsSpan(row * used, used), room.Weights.AsSpan(row * used, used));

        // Experts go in the order of their numbers, so a row's sum has one order, whatever rows are beside it.
        _device.Kernels.Clear(rows * Shape.Width, _activations.Projected);
        for (int expert = 0; expert < experts.Layers.Length; expert++)
        {
            int wanting = TakeRows(room, expert, rows, used);
            if (wanting > 0) LaunchExpert(experts.Layers[expert], room, wanting, normed);
        }
    }

    private void LaunchExpert(IlgpuFeedForward expert, IlgpuExpertScratch room, int rows, Operand normed)
    {
        int width = Shape.Width;
        room.Rows.SubView(0, rows).CopyFromCPU(ref room.RowsHost[0], rows);
        room.RowWeights.SubView(0, rows).CopyFromCPU(ref room.RowWeightsHost[0], rows);
        Operand input = room.Input.For(rows);
        Operand gated = _activations.Gated.For(rows);
        _device.Kernels.Gather(rows, normed, room.Rows, width, room.Gathered);
        _device.Matrices.Write(room.Gathered, rows, input);
        expert.GateUp.Run(input, rows, Shape.Activation, expert.GateUpBias, _activations.GateUp, gated);
        expert.Down.Multiply(gated, rows, room.Output, expert.DownBias);
        _device.Kernels.ScatterAdd(rows, room.Output, room.Rows, room.RowWeights, width, _activations.Projected);
    }

    private static int TakeRows(IlgpuExpertScratch room, int expert, int rows, int used)
    {
        int count = 0;
        for (int row = 0; row < rows; row++)
        {
            int at = room.Chosen.AsSpan(row * used, used).IndexOf(expert);
            if (at < 0) continue;

            room.RowsHost[count] = row;
            room.RowWeightsHost[count++] = room.Weights[(row * used) + at];
        }

        return count;
    }

    // A layer's result to the residual: as it is added up, or by way of a norm.
    private void AddTo(Projection matrix, Operand x, int rows, ArrayView<float> residual, ArrayView<float>? bias, ArrayView<float>? postNorm)
    {
        if (postNorm is null)
        {
            matrix.AddTo(x, rows, residual, Shape.ResidualScale, bias);
            return;
        }

        matrix.Multiply(x, rows, _activations.Projected, bias);
        AddProjected(rows, residual, postNorm);
    }

    private void AddProjected(int rows, ArrayView<float> residual, ArrayView<float>? postNorm)
    {
        if (postNorm is { } weights)
            _device.Kernels.AddNormed(new NormShape(Shape.Width, Shape.RmsEpsilon), rows, _activations.Projected, weights, Shape.ResidualScale, residual);
        else
            _device.Kernels.AddScaled(rows * Shape.Width, residual, _activations.Projected, Shape.ResidualScale);
    }

    private void LaunchRound(int rows) => _device.Kernels.Round(rows, _activations.Step.From(0), Shape.Width, _activations.Residual);

    private void LaunchHead(int rows)
    {
        Operand head = _activations.Head!.For(rows);
        NormShape shape = new(Shape.Width, Shape.RmsEpsilon, rounds: true, gathers: true);
        _device.Kernels.Norm(shape, rows, _activations.Step.From(0), _activations.Residual, _activations.Step.HeadRows, _weights.OutputNorm, _activations.NormRows, head);
        _weights.Output!.Multiply(head, rows, _activations.Logits);
        if (Shape.LogitScale != 1 || Shape.LogitSoftcap != 0)
            _device.Kernels.ScaleAndCap(rows * Shape.VocabularySize, Shape.LogitScale, Shape.LogitSoftcap, _activations.Logits);
    }

    private void Norm(NormShape shape, int rows, StepView step, ArrayView<float> residual, ArrayView<float> weights, Operand y) =>
        _device.Kernels.Norm(shape, rows, step, residual, _activations.Step.HeadRows, weights, _activations.NormRows, y);

    private static ArrayView<float> RowsOf(ArrayView<float> matrix, int width, int first, int count) =>
        matrix.SubView((long)first * width, (long)count * width);
}
