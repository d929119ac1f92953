using ILGPU;
using ILGPU.Runtime;
using KwaaiNet.CandelEngine.Compute.Ilgpu.Attention;
using KwaaiNet.CandelEngine.Compute.Ilgpu.Matrices;
using KwaaiNet.CandelEngine.Compute.Ilgpu.Steps;

namespace KwaaiNet.CandelEngine.Compute.Ilgpu;

/// <summary>A stack's working memory on the device: room for one piece of a batch, taken when the stack is loaded and reused by every block.</summary>
internal sealed class IlgpuActivations : IDisposable
{
    private readonly Accelerator _accelerator;
    private readonly Stack<IDisposable> _owned = new();

    /// <param name="accelerator">The device.</param>
    /// <param name="plan">How much of what.</param>
    /// <param name="tables">Every session's table of pages.</param>
    internal IlgpuActivations(Accelerator accelerator, ActivationPlan plan, ArrayView<int> tables)
    {
        _accelerator = accelerator;
        try
        {
            long rows = plan.Rows;
            int width = plan.Shape.Width;
            Step = Own(new StepBuffer(accelerator, plan.Rows, plan.Angles, tables));
            Residual = Floats(rows * width);
            Product = Floats(rows * plan.ProductWidth);
            Query = Own(accelerator.Allocate1D<Four>(Math.Max(1, rows * plan.Shape.HeadCount * KvLayout.KeptSize(plan.Shape.HeadSize) / 4))).View;
            Plain = Floats(plan.Plain ? rows * plan.Shape.QueryWidth : 0);
            Projected = Floats(plan.Projects ? rows * width : 0);
            GateUp = Floats(rows * 2 * plan.FeedForwardWidth);
            NormRows = Floats(plan.NormLength);
            Attention = Own(new AttentionRoom(accelerator, plan.AttentionFours, plan.Counters));
            Normed = Own(new OperandBuffer(accelerator, plan.Normed, width, plan.Rows));
            Attended = Own(new OperandBuffer(accelerator, plan.Attended, plan.Shape.QueryWidth, plan.Rows));
            Gated = Own(new OperandBuffer(accelerator, plan.Gated, plan.FeedForwardWidth, plan.Rows));
            HiddenIn = Own(accelerator.AllocatePageLocked1D<float>(rows * width));
            HiddenOut = Own(accelerator.AllocatePageLocked1D<float>(rows * width));
            if (plan.HeadRows > 0)
            {
                Head = Own(new OperandBuffer(accelerator, plan.Head, width, plan.HeadRows));
                Logits = Floats((long)plan.HeadRows * plan.Shape.VocabularySize);
                LogitsHost = Own(accelerator.AllocatePageLocked1D<float>((long)plan.HeadRows * plan.Shape.VocabularySize));
            }

            if (plan.Shape.Experts is { } experts)
            {
                OperandBuffer input = Own(new OperandBuffer(accelerator, plan.Expert, width, plan.Rows));
                Experts = new IlgpuExpertScratch(experts, plan.Rows, width, input, Floats, Integers);
            }
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>What the rows are.</summary>
    internal StepBuffer Step { get; }

    /// <summary>Hidden states, <c>[rows, Width]</c>.</summary>
    internal ArrayView<float> Residual { get; }

    /// <summary>Hidden states on their way to the device, <c>[rows, Width]</c>.</summary>
    internal PageLockedArray1D<float> HiddenIn { get; }

    /// <summary>Hidden states on their way from the device, <c>[rows, Width]</c>.</summary>
    internal PageLockedArray1D<float> HiddenOut { get; }

    /// <summary>Queries, keys and values, <c>[rows, QueryWidth + 2 · KvWidth]</c>.</summary>
    internal ArrayView<float> Product { get; }

    /// <summary>Turned queries, <c>[rows, Heads, KeptSize / 4]</c>.</summary>
    internal ArrayView<Four> Query { get; }

    /// <summary>What attention gives in plain rows, <c>[rows, QueryWidth]</c>, where heads are no whole blocks of 32.</summary>
    internal ArrayView<float> Plain { get; }

    /// <summary>What attention or the feed-forward layer adds, <c>[rows, Width]</c>, where it is normed first or is a mixture's.</summary>
    internal ArrayView<float> Projected { get; }

    /// <summary>Gate and up projections.</summary>
    internal ArrayView<float> GateUp { get; }

    /// <summary>Normed rows as float32, where norms need them.</summary>
    internal ArrayView<float> NormRows { get; }

    /// <summary>What attention works in.</summary>
    internal AttentionRoom Attention { get; }

    /// <summary>Normed hidden states.</summary>
    internal OperandBuffer Normed { get; }

    /// <summary>What attention gives.</summary>
    internal OperandBuffer Attended { get; }

    /// <summary>What the gate lets through.</summary>
    internal OperandBuffer Gated { get; }

    /// <summary>Normed rows for the output head; null without one.</summary>
    internal OperandBuffer? Head { get; }

    /// <summary>Logits, <c>[head rows, Vocabulary]</c>.</summary>
    internal ArrayView<float> Logits { get; }

    /// <summary><see cref="Logits"/> on the host; null without a head.</summary>
    internal PageLockedArray1D<float>? LogitsHost { get; }

    /// <summary>Room for a mixture of experts; null without one.</summary>
    internal IlgpuExpertScratch? Experts { get; }

    public void Dispose()
    {
        while (_owned.TryPop(out IDisposable? owned)) owned.Dispose();
    }

    private T Own<T>(T owned) where T : IDisposable
    {
        _owned.Push(owned);
        return owned;
    }

    // Devices have no buffers of no bytes.
    private ArrayView<float> Floats(long length) => Own(_accelerator.Allocate1D<float>(Math.Max(1, length))).View;

    private ArrayView<int> Integers(long length) => Own(_accelerator.Allocate1D<int>(Math.Max(1, length))).View;
}
