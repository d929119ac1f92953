using KwaaiNet.CandelEngine.Compute.Blocks;
using KwaaiNet.CandelEngine.Compute.Ilgpu.Attention;
using KwaaiNet.CandelEngine.Compute.Ilgpu.Kernels;
using KwaaiNet.CandelEngine.Compute.Ilgpu.Matrices;
using KwaaiNet.CandelEngine.Compute.Ilgpu.Matrices.Projections;
using KwaaiNet.CandelEngine.Compute.Ilgpu.Steps;
using KwaaiNet.CandelEngine.Models;
using KwaaiNet.CandelEngine.Tensors;

namespace KwaaiNet.CandelEngine.Compute.Ilgpu;

/// <summary>How much memory the rows of a piece need on their way through a range of blocks: known before anything is loaded.</summary>
internal sealed class ActivationPlan
{
    private ActivationPlan(ModelShape shape, int rows, int headRows)
    {
        Shape = shape;
        Rows = rows;
        HeadRows = headRows;
    }

    /// <summary>The model.</summary>
    internal ModelShape Shape { get; }

    /// <summary>Rows of a piece at most.</summary>
    internal int Rows { get; }

    /// <summary>Rows whose logits are computed together; 0 without an output head.</summary>
    internal int HeadRows { get; }

    /// <summary>Numbers in one position's angles.</summary>
    internal required int Angles { get; init; }

    /// <summary>The forms in which the products after norms take their rows.</summary>
    internal required OperandKinds Normed { get; init; }

    /// <summary>The forms in which attention's output projections do.</summary>
    internal required OperandKinds Attended { get; init; }

    /// <summary>The forms in which down projections do.</summary>
    internal required OperandKinds Gated { get; init; }

    /// <summary>The forms in which experts do; none without.</summary>
    internal required OperandKinds Expert { get; init; }

    /// <summary>The forms in which the output head does; none without.</summary>
    internal required OperandKinds Head { get; init; }

    /// <summary>Fours of scratch for attention.</summary>
    internal required long AttentionFours { get; init; }

    /// <summary>Numbers of scratch for norms.</summary>
    internal required long NormLength { get; init; }

    /// <summary>Whether what a layer gives is kept apart before it is added to the residual.</summary>
    internal required bool Projects { get; init; }

    /// <summary>Width of the feed-forward layer, or of an expert.</summary>
    internal int FeedForwardWidth => Shape.Experts?.FeedForwardWidth ?? Shape.FeedForwardWidth;

    /// <summary>Numbers of <see cref="IlgpuActivations.Product"/> in a row.</summary>
    internal int ProductWidth => Shape.QueryWidth + (2 * Shape.KvWidth);

    /// <summary>Whether attention's result is kept in plain rows first.</summary>
    internal bool Plain => Shape.HeadSize % Segments.BlockLength != 0;

    /// <summary>Counters for attention.</summary>
    internal int Counters => Rows * CudaAttention.Counters(Shape);

    /// <summary>Bytes of all of it on the device.</summary>
    internal long Bytes =>
        (FloatsOfRow * Rows * sizeof(float))
        + ((NormLength + (4 * AttentionFours) + ((long)HeadRows * Shape.VocabularySize)) * sizeof(float))
        + (Counters * (long)sizeof(int))
        + StepBuffer.BytesOf(Rows, Angles)
        + OperandBuffer.BytesOf(Normed, Shape.Width, Rows)
        + OperandBuffer.BytesOf(Attended, Shape.QueryWidth, Rows)
        + OperandBuffer.BytesOf(Gated, FeedForwardWidth, Rows)
        + (Expert == OperandKinds.None ? 0 : OperandBuffer.BytesOf(Expert, Shape.Width, Rows))
        + (HeadRows == 0 ? 0 : OperandBuffer.BytesOf(Head, Shape.Width, HeadRows));

    // Residual, product, queries, gate and up; and what only some models have.
    private long FloatsOfRow =>
        Shape.Width + ProductWidth + (Shape.HeadCount * KvLayout.KeptSize(Shape.HeadSize)) + (2 * FeedForwardWidth)
        + (Plain ? Shape.QueryWidth : 0)
        + (Projects ? Shape.Width : 0)
        + (Shape.Experts is { } experts ? experts.Count + 2 + (2 * Shape.Width) : 0);

    /// <summary>The plan for a range.</summary>
    /// <param name="shape">The model.</param>
    /// <param name="tensors">The range's tensors.</param>
    /// <param name="kernels">The device's kernels.</param>
    /// <param name="rows">Rows of a piece.</param>
    /// <param name="headRows">Rows whose logits are computed together.</param>
    internal static ActivationPlan For(ModelShape shape, RangeTensors tensors, BlockKernels kernels, int rows, int headRows)
    {
        OperandKinds normed = OperandKinds.None;
        OperandKinds attended = OperandKinds.None;
        OperandKinds gated = OperandKinds.None;
        OperandKinds expert = OperandKinds.None;
        bool projects = shape.Experts is not null;
        foreach (BlockTensors block in tensors.Blocks)
        {
            normed |= Of(block.Query) | Of(block.Key) | Of(block.Value);
            attended |= Of(block.AttentionOutput);
            projects |= block.PostAttentionNorm is not null || block.PostFeedForwardNorm is not null;
            if (block.FeedForward is { } layer)
            {
                normed |= Of(layer.Gate) | Of(layer.Up);
                gated |= Of(layer.Down);
                continue;
            }

            // An expert's rows are gathered as float32.
            normed |= Of(block.Router!.Value) | OperandKinds.Singles;
            foreach (FeedForwardTensors one in block.Experts)
            {
                expert |= Of(one.Gate) | Of(one.Up);
                gated |= Of(one.Down);
            }
        }

        return new ActivationPlan(shape, rows, tensors.Output is null ? 0 : headRows)
        {
            Angles = new RopeAngles(shape, tensors.RopeDivisors).Length,
            Normed = normed,
            Attended = attended,
            Gated = gated,
            Expert = expert,
            Head = tensors.Output is { } output ? Of(output) : OperandKinds.None,
            AttentionFours = kernels.AttentionFours(shape, rows),
            NormLength = kernels.NormLength(shape, rows),
            Projects = projects,
        };
    }

    private static OperandKinds Of(TensorData tensor) => MatrixPart.OperandOf(tensor.Type);
}
